// What one query may ask: graphql-armor's limits, each at n and at n + 1, and ours on forward passes.
import assert from "node:assert/strict";
import { type GraphQLAnswer, withApp } from "../support/app.ts";

const FIELDS = ["name", "layers", "heads", "channels", "context", "vocabulary", "fingerprint"];

/** Queries of a size, by what is limited. */
const LIMITS: Record<string, [limit: number, query: (size: number) => string]> = {
  depth: [6, (n) => nested(n, "__typename")],
  aliases: [15, (n) => `{ ${repeat(n, (i) => `a${i}: model { name }`)} }`],
  directives: [50, (n) => `{ ${repeat(n, () => "__typename @include(if: true)")} }`],
  token: [1000, (n) => `{ model { ${repeat(n - 5, (i) => FIELDS[i % FIELDS.length]!)} } }`],
  // 636 scalars at depth 6 and the five objects around them cost 4,856, one at depth 1 costs 1.
  Cost: [5000, (n) => {
    const deep = nested(6, repeat(636, () => "__typename"));
    return deep.replace(/\}$/, `${repeat(n - 4856, () => "__typename")} }`);
  }],
};

/** A query whose innermost selection is so deep. */
function nested(depth: number, innermost: string): string {
  const objects = ['__type(name: "Model")', ...Array.from({ length: depth - 2 }, () => "ofType")];
  return `{ ${objects.join(" { ")} { ${innermost} ${"} ".repeat(depth - 1)} }`;
}

function repeat(times: number, make: (index: number) => string): string {
  return Array.from({ length: times }, (_, i) => make(i)).join(" ");
}

for (const [what, [limit, query]] of Object.entries(LIMITS)) {
  Deno.test(`${what} of a query: ${limit} is taken, ${limit + 1} is not`, () =>
    withApp(async (app) => {
      const fine = await app.query(query(limit));
      assert.equal(fine.errors, undefined);
      const { errors } = await app.query(query(limit + 1));
      assert.match(
        errors?.[0]?.message ?? "",
        new RegExp(`${what}.*${limit}|${limit}.*${what}`, "i"),
      );
      assert.equal(errors![0]!.extensions.code, "BAD_USER_INPUT");
    }));
}

Deno.test("introspection can't be nested until its answer bursts", () =>
  withApp(async (app) => {
    const types = (depth: number): string =>
      depth === 0 ? "name" : `fields { type { ${types(depth - 1)} } }`;
    for (const start of ["__schema { types", '__type(name: "Query")']) {
      const end = start.includes("types") ? "}" : "";
      const { errors } = await app.query(`{ ${start} { ${types(4)} } ${end} }`);
      assert.match(errors?.[0]?.message ?? "", /depth/i);
    }
  }));

/** A query that asks for the matrices of some prompts, each under a name of its own. */
function flows(prompts: readonly string[]): string {
  return `{ ${
    prompts.map((prompt, i) =>
      `a${i}: infoFlow(prompt: ${JSON.stringify(prompt)}) { id matrix { values } }`
    ).join(" ")
  } }`;
}

async function misses(app: { query(query: string): Promise<GraphQLAnswer> }): Promise<number> {
  return (await app.query("{ cache { misses } }")).data.cache.misses;
}

Deno.test("a request runs four forward passes at most, and of one that wants more, none", () =>
  withApp(async (app) => {
    const { errors } = await app.query(flows(["a", "b", "c", "d", "e"]));
    assert.deepEqual(errors![0]!.extensions, { code: "BAD_USER_INPUT", passes: 5, limit: 4 });
    assert.equal(await misses(app), 0);
    assert.equal((await app.query(flows(["a", "b", "c", "d"]))).errors, undefined);
    assert.equal(await misses(app), 4);
  }));

Deno.test("equal prompts of a request count once, however they are asked for", () =>
  withApp(async (app) => {
    const query = `query ($p: String!) {
      a: infoFlow(prompt: $p) { ...Values }
      b: infoFlow(prompt: "a", byLayer: true) { ...Values }
      c: infoFlow(prompt: "a", aggregation: ROLLOUT) { matrix { values } }
      d: infoFlow(prompt: "b") { cacheHit } e: infoFlow(prompt: "c") { cacheHit }
      f: infoFlow(prompt: "d") { cacheHit }
    }
    fragment Values on InfoFlow { matrix { values arrow } }`;
    assert.equal((await app.query(query, { p: "a" })).errors, undefined);
    const { errors } = await app.query(query, { p: "another" });
    assert.equal(errors![0]!.extensions.passes, 5);
  }));

Deno.test("prompts of which no number is asked don't count", () =>
  withApp(async (app) => {
    const ids = Array.from({ length: 15 }, (_, i) => `a${i}: infoFlow(prompt: "${i}") { id }`);
    assert.equal((await app.query(`{ ${ids.join(" ")} }`)).errors, undefined);
  }));

Deno.test("--max-passes is the limit", () =>
  withApp(async (app) => {
    assert.equal((await app.query(flows(["a"]))).errors, undefined);
    assert.equal((await app.query(flows(["a", "b"]))).errors![0]!.extensions.limit, 1);
  }, { policy: { passes: 1 } }));

Deno.test("introspection can be switched off, and then no suggestion tells of the schema either", () =>
  withApp(async (app) => {
    for (const query of ["{ __schema { types { name } } }", '{ __type(name: "Query") { name } }']) {
      const { errors } = await app.query(query);
      assert.match(errors![0]!.message, /introspection has been disabled/i);
    }
    const { errors } = await app.query("{ modell { name } }");
    assert(!errors![0]!.message.includes('"model"'), errors![0]!.message);
    assert.equal((await app.query("{ __typename }")).data.__typename, "Query");
  }, { policy: { introspection: false } }));

Deno.test("GraphiQL can be switched off", () =>
  withApp(async (app) => {
    const response = await app.fetch("/graphql", { headers: { accept: "text/html" } });
    assert.notEqual(response.status, 200);
    assert(!(await response.text()).includes("<script"));
  }, { policy: { graphiql: false } }));

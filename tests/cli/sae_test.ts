// An autoencoder from the hub to its features, by the commands that a user types; and what is refused on the way.
import assert from "node:assert/strict";
import { join } from "node:path";
import { tableFromIPC } from "@uwdata/flechette";
import { FIXTURES, TINY } from "../support/fixtures.ts";
import { TestHub } from "../support/hub.ts";
import { runTask, withServer } from "../support/serve.ts";

const REPOSITORY = "someone/saes";
const SAE = `${REPOSITORY}:blocks.1.hook_resid_pre`;

function file(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return Deno.readFile(new URL(`sae/res-standard/${name}`, FIXTURES));
}

/** A hub with an autoencoder of the test model, and a home of its own for the commands. */
async function withHome(
  use: (hub: TestHub, env: Record<string, string>, home: string) => Promise<void>,
): Promise<void> {
  await using hub = new TestHub();
  const home = await Deno.makeTempDir({ prefix: "infoflow-sae-" });
  const caches = Deno.env.get("XDG_CACHE_HOME") || join(Deno.env.get("HOME")!, ".cache");
  try {
    await hub.publish(REPOSITORY, {
      "blocks.1.hook_resid_pre/cfg.json": await file("cfg.json"),
      "blocks.1.hook_resid_pre/sae_weights.safetensors": await file("sae_weights.safetensors"),
    });
    const env = {
      DENO_DIR: Deno.env.get("DENO_DIR") || join(caches, "deno"),
      XDG_CACHE_HOME: join(home, "caches"),
      HF_HOME: home,
      HF_ENDPOINT: hub.endpoint,
      HF_TOKEN: "",
      NO_COLOR: "1",
    };
    await use(hub, env, home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** Links that can't be answered, and what is said of each. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  "/features.arrow?ids=5,17,3&sae=res": /there are someone\/saes/,
  "/features.arrow?ids=5,17,3": /sae/,
  "/features.arrow?ids=5,17,3&sae=NAME&k=0": /k must/,
  "/features.arrow?ids=5,17,3&sae=NAME&features=3,128": /a feature must.*127/,
  "/features.arrow?ids=5,17,3&sae=NAME&minActivation=-1": /minActivation/,
  "/feature-flow.arrow?ids=5,17,3&sae=NAME&feature=128": /feature must.*127/,
  "/feature-flow.arrow?ids=5,17,3&sae=NAME&feature=-1": /feature must/,
  "/feature-flow.arrow?ids=5,17,3&sae=NAME&feature=1&target=9": /target must/,
  "/features.arrow?ids=5,17,3&sae=NAME&scale=NORM": /scale/,
};

Deno.test("an autoencoder is downloaded, served and asked by its name; links that can't be answered say why", () =>
  withHome(async (hub, env) => {
    const downloaded = await runTask("sae", [SAE], { env });
    assert.equal(downloaded.code, 0, downloaded.stderr);
    await hub[Symbol.asyncDispose]();
    await withServer(async ({ origin, startLines }) => {
      const line = startLines.find((one) => one.includes("features "))!;
      const { saes } = (await query(origin, "{ saes { name features hook } }")).data;
      const [{ name }] = saes;
      assert(line.includes(name), line);
      assert.deepEqual(saes, [{ name, features: 128, hook: "blocks.1.hook_resid_pre" }]);
      const asked = `ids=5,17,3,90&sae=${encodeURIComponent(name)}`;
      const response = await fetch(`${origin}/features.arrow?${asked}&k=3`);
      assert.equal(response.status, 200);
      const features = tableFromIPC(await response.bytes());
      assert(features.numRows > 0);
      const { data } = await query(
        origin,
        `{ featureFlow(ids: [5, 17, 3, 90], sae: "${name}", feature: 1) { matrix { shape } } }`,
      );
      assert.equal(data.featureFlow.matrix.shape.length, 3);
      for (const [link, message] of Object.entries(REFUSED)) {
        const refused = await fetch(origin + link.replace("NAME", encodeURIComponent(name)));
        const error = await refused.json();
        assert.equal(refused.status, 400, link);
        assert.equal(error.code, "BAD_USER_INPUT", link);
        assert(message.test(error.title), `${link}: ${JSON.stringify(error)}`);
      }
    }, { args: ["--model", TINY, "--sae", SAE], env });
  }));

Deno.test("the commands say what is wrong with an autoencoder, and what to do", () =>
  withHome(async (_, env, home) => {
    const missing = await runTask("sae", [`${REPOSITORY}:blocks.2.hook_resid_pre`], { env });
    assert.notEqual(missing.code, 0);
    assert.match(missing.stderr, /the nearest (is|are) someone\/saes:blocks.1.hook_resid_pre/);
    const unknown = await runTask("sae", ["gpt2-smal-res-jb/blocks.8.hook_resid_pre"], { env });
    assert.notEqual(unknown.code, 0);
    assert.match(unknown.stderr, /the nearest are gpt2-small-res-jb\/blocks/);

    const write = async (name: string, change: (config: Record<string, unknown>) => void) => {
      const directory = join(home, name);
      await Deno.mkdir(directory);
      const config = JSON.parse(new TextDecoder().decode(await file("cfg.json")));
      change(config);
      await Deno.writeTextFile(join(directory, "cfg.json"), JSON.stringify(config));
      await Deno.writeFile(
        join(directory, "sae_weights.safetensors"),
        await file("sae_weights.safetensors"),
      );
      return directory;
    };
    const served = async (sae: string, model = TINY): Promise<string> => {
      const start = withServer(() => Promise.resolve(), {
        args: ["--model", model, "--sae", sae],
        env,
      });
      return (await start.then(() => new Error("it was served"), (error) => error)).message;
    };
    const wide = await write("wide", (config) => config.d_sae = 256);
    assert.match(await served(wide), /W_enc must be \[40, 256\] by cfg.json: .* \[40, 128\]/);
    const deep = await write("deep", (config) => {
      const place = (config.metadata ?? config) as Record<string, unknown>;
      place.hook_name = "blocks.7.hook_resid_pre";
    });
    assert.match(await served(deep), /the model has 3 layers.*blocks\.7\.hook_resid_pre/);
    const cut = await write("cut", () => {});
    const weights = join(cut, "sae_weights.safetensors");
    await Deno.truncate(weights, 1000);
    assert.match(await served(cut), /cut\/sae_weights\.safetensors as it is damaged/);
    assert.match(
      await served(join(home, "nothing")),
      /must be one of .*current value is .*\/nothing;/,
    );
  }));

// deno-lint-ignore no-explicit-any -- whatever was asked for
async function query(origin: string, text: string): Promise<any> {
  const response = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: text }),
  });
  return await response.json();
}

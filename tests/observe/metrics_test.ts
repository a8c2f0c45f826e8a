import assert from "node:assert/strict";
import { type TestApp, withApp } from "../support/app.ts";

/** The values of all metrics, by name and labels. */
async function scrape(app: TestApp): Promise<Map<string, number>> {
  const response = await app.fetch("/metrics");
  assert.match(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  const values = new Map<string, number>();
  for (const line of (await response.text()).split("\n")) {
    const [, name, value] = line.match(/^([^#\s]\S*(?:\{.*\})?) (\S+)$/) ?? [];
    if (name) values.set(name, Number(value));
  }
  return values;
}

Deno.test("/metrics counts requests, tokens, the cache and the device", () =>
  withApp(async (app) => {
    const ask = (prompt: string) =>
      app.query(`{ infoFlow(prompt: ${JSON.stringify(prompt)}) { cacheHit } }`);
    await ask("a b c");
    await ask("a b c");
    await ask("");
    const values = await scrape(app);
    const expected = {
      'infoflow_requests_total{operation="infoFlow",code="OK"}': 2,
      'infoflow_requests_total{operation="infoFlow",code="PROMPT_EMPTY"}': 1,
      'infoflow_request_seconds_count{operation="infoFlow"}': 3,
      "infoflow_queue_wait_seconds_count": 2,
      "infoflow_forward_seconds_count": 1,
      "infoflow_reduce_seconds_count": 1,
      'infoflow_tokens_total{computed="true"}': 4,
      'infoflow_tokens_total{computed="false"}': 4,
      'infoflow_ready{model="bundled"}': 1,
      'infoflow_queue_length{model="bundled"}': 0,
      'infoflow_cache_entries{model="bundled"}': 1,
      'infoflow_cache_hits{model="bundled"}': 1,
      'infoflow_cache_misses{model="bundled"}': 1,
      'infoflow_worker_restarts{model="bundled"}': 0,
    };
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(values.get(name), value, name);
    }
    assert(values.get("infoflow_forward_seconds_sum")! > 0);
    assert(values.get("infoflow_resident_bytes")! > 1e7);
    const bytes = values.get('infoflow_device_bytes{model="bundled"}')!;
    assert(bytes > values.get('infoflow_cache_bytes{model="bundled"}')!);
    for (const name of values.keys()) assert(name.startsWith("infoflow_"), name);
  }));

Deno.test("clients can't make up labels: the series are as many as our words", () =>
  withApp(async (app) => {
    const ask = async (i: number): Promise<void> => {
      await app.query(`query q${i} { a${i}: __typename }`);
      await app.query(`query q${i} { nothing${i} }`);
      await (await app.fetch(`/nothing${i}`)).body?.cancel();
      await (await app.fetch(`/graphql?query={__typename}&operationName=o${i}`)).body?.cancel();
      await (await app.fetch(`/info-flow.arrow?x${i}=1`)).body?.cancel();
      await (await app.fetch("/", { headers: { host: `h${i}.example` } })).body?.cancel();
      const operations = ["model { name }", "device { vendor }", "cache { hits }"];
      await app.query(`{ ${operations.slice(i % 3).join(" ")} }`);
    };
    for (let i = 0; i < 6; i++) await ask(i);
    const { size } = await scrape(app);
    for (let i = 6; i < 40; i++) await ask(i);
    // Scraping adds the series of scraping, once.
    const after = await scrape(app);
    assert(after.size <= size + 25, `${size} series, then ${after.size}`);
    for (const name of after.keys()) {
      assert(!/q\d|nothing|example/.test(name.replace(/le="[^"]*"/, "")), name);
    }
  }));

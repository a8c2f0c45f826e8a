import assert from "node:assert/strict";
import { withServer } from "../support/serve.ts";

interface Span {
  readonly name: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceId: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

/** What an OTLP exporter sends. */
interface Export {
  readonly resourceSpans?: { readonly scopeSpans: { readonly spans: Span[] }[] }[];
}

const STAGES = ["tokenise", "queue", "prepare", "device and readback", "arrow"];

Deno.test("with OTEL_DENO, a request is a trace with a span for each stage, from HTTP to readback", async () => {
  const spans: Span[] = [];
  const collector = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      if (!request.url.endsWith("/v1/traces")) return new Response("{}");
      const { resourceSpans = [] } = await request.json() as Export;
      for (const { scopeSpans } of resourceSpans) {
        for (const scope of scopeSpans) spans.push(...scope.spans);
      }
      return new Response("{}");
    },
  );
  const env = {
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
    OTEL_BSP_SCHEDULE_DELAY: "200",
  };
  try {
    await withServer(async ({ origin }) => {
      const response = await fetch(`${origin}/info-flow.arrow?prompt=Hello+world`);
      await response.body?.cancel();
      assert.equal(response.status, 200);
      const deadline = Date.now() + 20_000;
      while (!spans.some(({ name }) => name === "arrow")) {
        assert(Date.now() < deadline, `no trace but ${spans.map(({ name }) => name)}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }, { env });
  } finally {
    await collector.shutdown();
  }
  const { traceId } = spans.find(({ name }) => name === "arrow")!;
  const ours = spans.filter((span) => span.traceId === traceId);
  const server = ours.find(({ name }) => name.startsWith("GET"));
  assert(server, ours.map(({ name }) => name).join());
  for (const stage of STAGES) {
    const found = ours.filter(({ name }) => name === stage);
    assert.equal(found.length, 1, stage);
    const [{ parentSpanId, startTimeUnixNano, endTimeUnixNano }] = found as [Span];
    assert.equal(parentSpanId, server.spanId, stage);
    assert(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano), stage);
  }
});

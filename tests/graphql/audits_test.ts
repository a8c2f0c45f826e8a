// GraphQL over HTTP, by the audits of graphql-http, asked as its own clients ask: over a socket, with no special header.
import { listen } from "../../src/server/http/listen.ts";
import { serverAudits } from "graphql-http";
import { withApp } from "../support/app.ts";

Deno.test("all audits of graphql-http pass in the default configuration", (test) =>
  withApp(async ({ server }) => {
    const listener = await listen(server, { host: "127.0.0.1", port: 0 });
    const url = `http://127.0.0.1:${listener.port}/graphql`;
    try {
      const audits = serverAudits({ url });
      if (audits.length < 61) throw new Error(`61 audits expected, ${audits.length} found`);
      for (const audit of audits) {
        await test.step(`${audit.id} ${audit.name}`, async () => {
          const result = await audit.fn();
          if (result.status !== "ok") throw new Error(`${result.status}: ${result.reason}`);
        });
      }
    } finally {
      await listener.shutdown();
    }
  }));

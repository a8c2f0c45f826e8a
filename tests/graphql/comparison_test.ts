import assert from "node:assert/strict";
import { withApp } from "../support/app.ts";

Deno.test("a comparison of a fresh prompt runs the model twice: as it is, and with heads ablated", () =>
  withApp(async (app) => {
    const { errors } = await app.query(`{
      infoFlow(prompt: "a fresh prompt", compare: true, ablate: [{ layer: 1, head: 2 }]) {
        matrix { values }
        comparison {
          baseline { matrix { values } }
          difference { matrix { values } }
          nextTokens { change }
        }
      }
    }`);
    assert.equal(errors, undefined);
    const { misses } = await app.server.models[0]!.engine.cacheStats();
    assert.equal(misses, 2);
  }));

import assert from "node:assert/strict";
import { locateModel } from "../../src/checkpoints/hub/locate_model.ts";
import { BUNDLED, TINY } from "../support/fixtures.ts";

Deno.test("locateModel() takes the bundled model where nothing is asked for", async () => {
  const { name, directory } = await locateModel(undefined, undefined);
  assert.equal(name, "bundled");
  assert.equal(`${directory}/`, BUNDLED);
});

Deno.test("locateModel() takes a directory by its path", async () => {
  assert.deepEqual(await locateModel(TINY, undefined), {
    name: "tiny",
    directory: TINY.replace(/\/$/, ""),
    isCached: false,
    isKnown: false,
  });
});

Deno.test("locateModel() lists what there is when asked for something else", async () => {
  await assert.rejects(() => locateModel("gpt5", undefined), {
    message: /must be one of bundled.*: current value is gpt5/,
  });
});

import assert from "node:assert/strict";
import { tunePassTokens } from "../../src/engine/pass_tokens.ts";
import type { EngineInfo } from "../../src/engine/engine_info.ts";

function info(isFallback: boolean, architecture = { layers: 12, channels: 768 }): EngineInfo {
  const device = { vendor: "", architecture: "", description: "an adapter", isFallback };
  return { architecture, device } as unknown as EngineInfo;
}

/** What is kept, in memory. */
function keeper(): {
  read: () => Promise<Record<string, string>>;
  keep: (_: string, it: Readonly<Record<string, string>>) => Promise<void>;
} {
  let all: Record<string, string> = {};
  return {
    read: () => Promise.resolve(all),
    keep: (_, it) => {
      all = { ...all, ...it };
      return Promise.resolve();
    },
  };
}

Deno.test("a pass takes as many tokens as the adapter likes: measured once, kept, measured again if told to", async () => {
  let measured: number[] = [];
  // A dispatch takes 5 ms, and a token 1 us until there are 1,024 of them at once.
  const time = (tokens: number): Promise<number> => {
    measured.push(tokens);
    return Promise.resolve(5 * Math.max(1, tokens / 1024) + tokens / 1e6);
  };
  const kept = keeper();
  assert.equal(await tunePassTokens(info(false), { kept }, time), 1024);
  assert.deepEqual(measured, [256, 256, 1024, 1024, 4096, 4096]);
  measured = [];
  assert.equal(await tunePassTokens(info(false), { kept }, time), 1024);
  assert.deepEqual(measured, []);
  await tunePassTokens(info(false), { kept, redo: true }, time);
  assert.equal(measured.length, 6);
  measured = [];
  assert.equal(await tunePassTokens(info(false), {}, time), 4096);
  assert.equal(await tunePassTokens(info(true), { kept }, time), 128);
  assert.deepEqual(measured, []);
});

Deno.test("on a software adapter a pass takes more tokens of a small model, within bounds", async () => {
  const sizes = [{ layers: 2, channels: 16 }, { layers: 6, channels: 128 }, {
    layers: 8,
    channels: 192,
  }, { layers: 48, channels: 1600 }];
  const chosen = sizes.map((size) => tunePassTokens(info(true, size), {}, () => assert.fail()));
  assert.deepEqual(await Promise.all(chosen), [512, 455, 152, 128]);
});

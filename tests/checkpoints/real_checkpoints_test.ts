// Checkpoints as people have them, read as transformers reads them (tests/make_checkpoints.py).
import assert from "node:assert/strict";
import { join } from "node:path";
import { loadModels } from "../../src/server/serving/load_models.ts";
import { InfoFlow } from "../../src/server/answers/info_flow.ts";
import type { LoadedModel } from "../../src/server/answers/loaded_model.ts";
import { read } from "../../src/server/answers/reading.ts";
import expected from "../fixtures/checkpoints/expected.json" with { type: "json" };
import { assertClose } from "../support/assert_close.ts";
import { python } from "../support/python.ts";

interface Expected {
  readonly prompt: string;
  readonly ids: readonly number[];
  readonly flow: readonly number[][][];
}

const { cached_without_tokenizer: _, ...known } = expected.cases;
const CASES: Record<string, Expected> = { ...known, index_lists_more: known.plain };
const OPTIONS = { byLayer: true, aggregation: "MEAN", bos: "KEEP" } as const;

/** Loads checkpoints by their names for as long as `use` runs. */
async function withCheckpoints(
  names: readonly string[],
  use: (models: ReadonlyMap<string, LoadedModel>, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "infoflow-" });
  try {
    const program = await Deno.readTextFile(new URL("../make_checkpoints.py", import.meta.url));
    await python(`import sys\n${program}\nprint("null")`, { args: [directory] });
    const { models, worker } = await loadModels({
      asked: names.map((name) => join(directory, name)),
      cacheBytes: 2 ** 20,
    });
    try {
      await use(new Map(models.map((model, index) => [names[index]!, model])), directory);
    } finally {
      await worker.close();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("checkpoints of every shape give transformers' tokens and flows", (t) =>
  withCheckpoints(
    [...Object.keys(CASES), "cached_without_tokenizer", "ids_only"],
    async (models, directory) => {
      for (const [name, { prompt, ids, flow }] of Object.entries(CASES)) {
        await t.step(name, async () => {
          const answer = new InfoFlow(read([models.get(name)!], { prompt }), OPTIONS);
          assert.deepEqual(answer.tokens.map(({ id }) => id), ids);
          const { flow: actual } = await answer.compute();
          const [layers, targets] = [flow.length, flow[0]!.length];
          // Both sides compute in float32, and the reference is written with seven digits. Measured: 7e-7.
          assertClose(actual, flow.flat(2), { atol: 1e-5, rtol: 0 });
          assert.equal(actual.length, layers * targets ** 2);
        });
      }

      await t.step("a note says what is assumed where tokenizer files are missing", () => {
        const noteOf = (name: string): string | undefined => models.get(name)!.note;
        assert.match(noteOf("cached_without_tokenizer")!, /GPT-2's tokenizer is assumed/);
        assert.match(noteOf("padded_50304")!, /50,304 rows, GPT-2's tokenizer is assumed/);
        assert.match(noteOf("ids_only")!, /ask with `ids`/);
        assert.equal(noteOf("plain"), undefined);
      });

      await t.step("a directory with pytorch_model.bin alone gets a hint", async () => {
        const asked = [join(directory, "only_bin")];
        await assert.rejects(() => loadModels({ asked, cacheBytes: 0 }), {
          message:
            /model\.safetensors is missing; pytorch_model\.bin is in a format that is not read: save it/,
        });
      });
    },
  ));

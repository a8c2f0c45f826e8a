import assert from "node:assert/strict";
import { openSae, readSaeConfig } from "../../../src/checkpoints/sae/open_sae.ts";
import { parseSaeConfig } from "../../../src/checkpoints/sae/parse_sae_config.ts";
import { RELEASED_SAES } from "../../../src/checkpoints/sae/sae_releases.ts";
import { conversionInWords } from "../../../src/requests/sae/conversion_in_words.ts";
import { FIXTURES } from "../../support/fixtures.ts";

const SAES = new URL("sae/", FIXTURES).pathname;

/** A directory with the files of a reference autoencoder, some of them changed. */
async function withFiles(
  name: string,
  change: Readonly<Record<string, string | Uint8Array | undefined>>,
  test: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    for (const file of ["cfg.json", "sae_weights.safetensors"]) {
      await Deno.copyFile(`${SAES}${name}/${file}`, `${directory}/${file}`);
    }
    for (const [file, content] of Object.entries(change)) {
      const path = `${directory}/${file}`;
      if (content === undefined) await Deno.remove(path);
      else if (typeof content === "string") await Deno.writeTextFile(path, content);
      else await Deno.writeFile(path, content);
    }
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The config of a reference autoencoder with some keys changed. */
async function configWith(name: string, change: Record<string, unknown>): Promise<string> {
  const config = JSON.parse(await Deno.readTextFile(`${SAES}${name}/cfg.json`));
  return JSON.stringify({ ...config, ...change });
}

Deno.test("autoencoders in old forms load as the new ones do", async () => {
  await using modern = await openSae(`${SAES}res-standard`);
  await withFiles("res-standard", {
    "cfg.json": await Deno.readTextFile(`${SAES}res-standard/cfg.old.json`),
    "sae_weights.safetensors": await Deno.readFile(
      `${SAES}res-standard/sae_weights.old.safetensors`,
    ),
  }, async (directory) => {
    await using old = await openSae(directory, { modelOptions: { center_writing_weights: true } });
    assert.deepEqual({ ...old.config, context: 67 }, modern.config);
    assert.equal(old.config.context, 128);
    for (const tensor of ["W_enc", "W_dec", "b_enc", "b_dec"] as const) {
      assert.deepEqual(await old.read(tensor), await modern.read(tensor));
    }
  });
});

Deno.test("topk as an activation function of a standard autoencoder is topk", async () => {
  const old = await Deno.readTextFile(`${SAES}res-topk/cfg.old.json`);
  const { context: _, ...modern } = await readSaeConfig(`${SAES}res-topk`);
  const { context, ...config } = parseSaeConfig(old);
  assert.deepEqual(config, modern);
  assert.equal(context, 64);
});

Deno.test("a conversion is described in words", async () => {
  const words = async (name: string): Promise<string> =>
    conversionInWords(await readSaeConfig(SAES + name));
  assert.equal(
    await words("z-folded"),
    "blocks.1.attn.hook_z of the stored model, minus the values' bias, ln_1's bias through W_V included",
  );
  assert.equal(
    await words("res-topk"),
    "blocks.1.hook_resid_post of the stored model, minus its mean, divided by its standard deviation (n - 1) + 1e-5",
  );
  assert.equal(await words("z-standard"), "blocks.0.attn.hook_z of the stored model, as it is");
});

const REFUSED: readonly [what: string, change: Record<string, unknown>, message: RegExp][] = [
  ["tanh-relu", { activation_fn: "tanh-relu" }, /activation_fn .* "tanh-relu"/],
  ["matching pursuit", { architecture: "matching_pursuit" }, /architecture .* "matching_pursuit"/],
  ["temporal", { architecture: "temporal" }, /architecture .* "temporal"/],
  ["another hook", {
    metadata: { hook_name: "blocks.1.attn.hook_q" },
  }, /its hook must be .* "blocks.1.attn.hook_q"/],
  ["one head's", {
    metadata: { hook_name: "blocks.1.attn.hook_z", hook_head_index: 2 },
  }, /hook_head_index .* 2/],
  [
    "no width",
    { d_sae: 0 },
    /d_sae .* must be a positive integer, 1048576 at most: current value is 0/,
  ],
  [
    "a factor that nobody knows",
    { normalize_activations: "expected_average_only_in" },
    /norm_scaling_factor.json/,
  ],
];
for (const [what, change, message] of REFUSED) {
  Deno.test(`an autoencoder is refused by name: ${what}`, async () => {
    const text = await configWith("res-standard", change);
    assert.throws(() => parseSaeConfig(text), (error: Error) => {
      assert(error instanceof RangeError);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("a tensor that is missing or misshapen is refused", async () => {
  const gated = await configWith("res-standard", { architecture: "jumprelu" });
  await withFiles("res-standard", { "cfg.json": gated }, async (directory) => {
    await assert.rejects(openSae(directory), /weights have no tensor threshold/);
  });
  const wide = await configWith("res-standard", { d_sae: 64 });
  await withFiles("res-standard", { "cfg.json": wide }, async (directory) => {
    await assert.rejects(
      openSae(directory),
      /shape of W_enc must be \[40, 64\] by cfg.json: current value is \[40, 128\]/,
    );
  });
});

Deno.test("a number that is not finite, and a factor that is not one, are refused", async () => {
  const poke = async (file: string, value: number): Promise<Uint8Array> => {
    const bytes = await Deno.readFile(`${SAES}res-standard/${file}`);
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, value, true);
    return bytes;
  };
  const weights = "sae_weights.safetensors";
  const broken = { [weights]: await poke(weights, NaN) };
  await withFiles("res-standard", broken, async (directory) => {
    await using sae = await openSae(directory);
    const all = Promise.all((["W_enc", "W_dec", "b_enc", "b_dec"] as const).map(sae.read));
    await assert.rejects(all, /must be finite: current value at \d+ is NaN/);
  });
  // Tensors lie in the order of their names: the last is scaling_factor.
  const scaled = { [weights]: await poke("sae_weights.old.safetensors", 2) };
  await withFiles("res-standard", scaled, async (directory) => {
    await assert.rejects(openSae(directory), /scaling_factor must be ones: .* is 2/);
  });
});

Deno.test("pickles are refused with the way to convert them, and so are empty and cut files", async () => {
  const pickle = { "sae_weights.safetensors": undefined, "sae.pt": "" };
  await withFiles("res-standard", pickle, async (directory) => {
    await assert.rejects(openSae(directory), /sae.pt is a pickle.*save_model/s);
  });
  await withFiles("res-standard", { "cfg.json": undefined }, async (directory) => {
    await assert.rejects(openSae(directory), /has no cfg.json/);
  });
  const cut = (await Deno.readFile(`${SAES}res-standard/sae_weights.safetensors`)).slice(0, -100);
  await withFiles("res-standard", { "sae_weights.safetensors": cut }, async (directory) => {
    await assert.rejects(
      openSae(directory),
      /sae_weights\.safetensors as it is damaged: .* \(MetadataIncompleteBuffer\)/,
    );
  });
});

Deno.test("18 public releases of GPT-2 small have names", () => {
  const releases = new Set([...RELEASED_SAES.keys()].map((name) => name.split("/")[0]));
  assert.equal(releases.size, 18);
  const jb = RELEASED_SAES.get("gpt2-small-res-jb/blocks.8.hook_resid_pre")!;
  assert.equal(jb.repository, "jbloom/GPT2-Small-SAEs-Reformatted");
  assert.deepEqual(jb.modelOptions, { center_writing_weights: true });
  assert.equal(
    RELEASED_SAES.get("gpt2-small-mlp-tm/blocks.0.hook_mlp_out")?.factor,
    1.049317316132615,
  );
});

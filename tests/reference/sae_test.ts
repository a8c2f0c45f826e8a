// Reference data of SAELens against the float64 autoencoders that the kernels are tested against.
import { openSae } from "../../src/checkpoints/sae/open_sae.ts";
import { assertClose } from "../support/assert_close.ts";
import { BUNDLED, FIXTURES, readReference, SAES, TINY } from "../support/fixtures.ts";
import { readModel } from "../support/read_model.ts";
import { encode, hookOf, inputOf, readSaeWeights, run, sourcesOf } from "./sae.ts";

/** Stored as float32 of float64 numbers: half a unit in the last place of the largest. */
function stored(expected: Float32Array): { atol: number } {
  return { atol: 1e-7 * expected.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-3) };
}

const tiny = await readModel(TINY);
for (const name of SAES) {
  Deno.test(`float64 autoencoder agrees with sae/${name}`, async () => {
    await using sae = await openSae(new URL(`sae/${name}`, FIXTURES).pathname);
    const weights = await readSaeWeights(sae);
    const { config } = sae;
    for (const prompt of ["T14", "T65"]) {
      const { ids, tensors } = await readReference(`sae/${name}/${prompt}`);
      const model = run(tiny.architecture, tiny.weights, ids);
      const x = inputOf(config, model);
      const { acts, pre, recon } = encode(config, weights, x);
      const expect = (tensor: string, actual: Float64Array): void => {
        const expected = tensors.get(tensor)!;
        assertClose(actual, expected, stored(expected));
      };
      expect("hook", hookOf(config, model));
      expect("input", x);
      expect("acts", acts);
      expect("recon", recon);
      if (prompt !== "T14" || name === "mlp-transcoder") continue;
      expect("pre", pre);
      if (config.site === "MLP_OUT") continue;
      const T = ids.length;
      const F = tensors.get("features")!;
      F.forEach((f, n) => {
        const sources = sourcesOf(config, weights, model, f);
        const part = (tensor: string, actual: Float64Array, row: number): void => {
          const expected = tensors.get(tensor)!;
          const count = actual.length / row;
          for (let l = 0; l < count; l++) {
            const at = (l * F.length + n) * row;
            const wanted = expected.subarray(at, at + row);
            assertClose(actual.subarray(l * row, (l + 1) * row), wanted, stored(expected));
          }
        };
        if (config.site === "Z") {
          const expected = tensors.get("dfa_heads")!;
          const { attention } = sources;
          const at = n * attention.length;
          const wanted = expected.subarray(at, at + attention.length);
          assertClose(attention, wanted, stored(expected));
        } else {
          part("source_attn", sources.attention, T * T);
          part("source_attn_bias", sources.attentionBias, T);
          if (config.site.startsWith("RESID")) {
            part("source_mlp", sources.mlp, T);
            part("source_embed", sources.embedding, T);
            part("source_pos", sources.position, T);
          }
        }
        assertClose([sources.bias], [tensors.get("source_bias")![n]!], { atol: 1e-6 });
      });
    }
  });
}

for (const name of ["res-4", "z-3"]) {
  Deno.test(`float64 autoencoder agrees with the bundled ${name}`, async () => {
    const { architecture, weights } = await readModel(BUNDLED);
    await using sae = await openSae(`${BUNDLED}sae/${name}`);
    const saeWeights = await readSaeWeights(sae);
    const { features: F } = sae.config;
    const { ids, tensors } = await readReference(`sae-bundled/${name}/cart`);
    const { acts, recon } = encode(
      sae.config,
      saeWeights,
      inputOf(sae.config, run(architecture, weights, ids)),
    );
    const expected = new Float64Array(ids.length * F);
    tensors.get("positions")!.forEach((position, n) => {
      expected[position * F + tensors.get("active_features")![n]!] = tensors.get("values")![n]!;
    });
    assertClose(acts, expected, { atol: 1e-6 });
    assertClose(recon, tensors.get("recon")!, stored(tensors.get("recon")!));
  });
}

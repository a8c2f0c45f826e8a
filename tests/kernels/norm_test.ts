import { Norm } from "../../src/engine/kernels/norm.ts";
import { NormRows } from "../../src/engine/kernels/norm_rows.ts";
import { norm } from "../reference/gpt2.ts";
import { assertClose } from "../support/assert_close.ts";
import { Activations, run, withGpu } from "../support/gpu.ts";
import { Random } from "../support/random.ts";

const CASES = [
  { tokens: 1, channels: 4, outlier: 0 },
  { tokens: 5, channels: 40, outlier: 0 },
  // Residual streams have a few channels in the thousands.
  { tokens: 65, channels: 772, outlier: 3000 },
];
const WAYS = [Norm, NormRows].flatMap((norming) => CASES.map((it) => [norming, it] as const));

for (const [norming, { tokens, channels, outlier }] of WAYS) {
  Deno.test(`${norming.name} of (${tokens}, ${channels}), outliers of ${outlier}`, () =>
    withGpu(async (gpu) => {
      const random = new Random(channels);
      const x = random.normals(tokens * channels).map((v, i) =>
        i % channels === 3 ? v + outlier : v
      );
      const gain = random.normals(channels);
      const bias = random.normals(channels);
      const epsilon = 1e-5;

      const size = { rows: tokens, columns: channels };
      const y = await Activations.create(gpu, size);
      const kernel = await norming.create(gpu.device, { channels, epsilon });
      const operands = kernel.bind({
        x: (await Activations.create(gpu, size, x)).view,
        affine:
          (await Activations.create(gpu, { rows: 2, columns: channels }, [...gain, ...bias])).view,
        y: y.view,
      });
      await run(gpu, (pass) => kernel.dispatch(pass, [[operands]], { rows: tokens }));

      const expected = norm(x, { gain, bias, epsilon });
      // A few roundings of numbers up to sqrt(channels) = 28. Measured: 7e-7.
      assertClose(await y.download(), expected, { atol: 1e-6, rtol: 1e-6 });
    }));
}

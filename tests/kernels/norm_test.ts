import { Norm } from "../../src/engine/kernels/norm.ts";
import { norm } from "../reference/gpt2.ts";
import { assertClose } from "../support/assert_close.ts";
import { Activations, run, upload, withGpu } from "../support/gpu.ts";
import { Random } from "../support/random.ts";

const CASES = [
  { tokens: 1, channels: 4, outlier: 0 },
  { tokens: 5, channels: 40, outlier: 0 },
  // Residual streams have a few channels in the thousands.
  { tokens: 65, channels: 772, outlier: 3000 },
];

for (const { tokens, channels, outlier } of CASES) {
  Deno.test(`norm of (${tokens}, ${channels}), outliers of ${outlier}`, () =>
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
      const kernel = await Norm.create(gpu.device, { channels, epsilon });
      const operands = kernel.bind({
        x: (await Activations.create(gpu, size, x)).view,
        gain: upload(gpu, gain),
        bias: upload(gpu, bias),
        y: y.view,
      });
      await run(gpu, (pass) => kernel.dispatch(pass, [[operands]], { rows: tokens }));

      const expected = norm(x, { gain, bias, epsilon });
      // A few roundings of numbers up to sqrt(channels) = 28. Measured: 7e-7.
      assertClose(await y.download(), expected, { atol: 1e-6, rtol: 1e-6 });
    }));
}

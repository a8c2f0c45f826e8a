import { Readback } from "./readback.ts";

/** A measurement lasts SHORTEST ms at least and is taken ROUNDS times. */
const SHORTEST = 5;
const ROUNDS = 3;

/**
 * Times commands of a compute pass by recording them many times in one submission, so that the cost of the submission
 * does not count.
 *
 * @param record Records the commands once.
 * @returns The ms that the device takes for them, the best of some rounds.
 */
export async function timePass(
  device: GPUDevice,
  record: (pass: GPUComputePassEncoder) => void,
): Promise<number> {
  const buffer = device.createBuffer({ label: "timing", size: 4, usage: GPUBufferUsage.COPY_SRC });
  const readback = new Readback(device);
  const run = async (times: number): Promise<number> => {
    const result = [{ buffer, bytes: buffer.size }];
    const staging = await readback.acquire(result);
    const encoder = device.createCommandEncoder({ label: "timing" });
    const pass = encoder.beginComputePass({ label: "timing" });
    for (let i = 0; i < times; i++) record(pass);
    pass.end();
    readback.copy(encoder, result, staging);
    const began = performance.now();
    device.queue.submit([encoder.finish()]);
    await readback.take(staging);
    return performance.now() - began;
  };
  try {
    await run(1); // compiles
    const once = await run(1);
    const times = Math.ceil(SHORTEST / Math.max(once, 0.01));
    let best = Infinity;
    for (let round = 0; round < ROUNDS; round++) best = Math.min(best, await run(times) / times);
    return best;
  } finally {
    await readback.destroy();
    buffer.destroy();
  }
}

import { rowStart, triangleStride, VEC4 } from "../activations/packed_triangles.ts";
import { allocate, allocateTexture } from "../gpu/allocate.ts";
import type { KernelOf } from "../gpu/define_kernel.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import { Owned } from "../gpu/owned.ts";
import { Readback } from "../gpu/readback.ts";
import { Recorder } from "../gpu/recorder.ts";
import { timePass } from "../gpu/time_pass.ts";
import { makeUniform } from "../gpu/uniform.ts";
import type { Attending, AttentionShape } from "../kernels/attention_pattern.ts";
import type { Mixing } from "../kernels/mix_values.ts";
import { PROMPT_MEMBERS } from "../kernels/prompt.ts";

/** How the attention of a layer is computed. */
export interface AttentionKernels {
  readonly attending: Attending;
  readonly mixing: Mixing;
}

/** Targets that are checked: the first, and those about the edges of tiles. */
const CHECKED = [0, 1, 5, 16, 63, 64, 131];
/** The largest error of a probability, and of a mixed value: 20 times the measured ones. */
const TOLERANCE = 1e-5;

/** A layer of attention by itself, with made-up queries, keys and values, to be checked and timed. */
export class AttentionTrial implements Disposable {
  readonly #device: GPUDevice;
  readonly #owned: Owned;
  readonly #tokens: number;
  readonly #shape: AttentionShape;
  readonly #qkv: Float32Array<ArrayBuffer>;
  readonly #z: GPUTexture;
  readonly #patterns: GPUBuffer;
  /** Record one of the two kernels. */
  readonly attend: (pass: GPUComputePassEncoder) => void;
  readonly mix: (pass: GPUComputePassEncoder) => void;

  private constructor(
    device: GPUDevice,
    { owned, tokens, shape, qkv, z, patterns, attend, mix }: {
      readonly owned: Owned;
      readonly tokens: number;
      readonly shape: AttentionShape;
      readonly qkv: Float32Array<ArrayBuffer>;
      readonly z: GPUTexture;
      readonly patterns: GPUBuffer;
      readonly attend: KernelOf<Attending>;
      readonly mix: KernelOf<Mixing>;
    },
    groups: { readonly attend: Groups; readonly mix: Groups },
  ) {
    this.#device = device;
    this.#owned = owned;
    this.#tokens = tokens;
    this.#shape = shape;
    this.#qkv = qkv;
    this.#z = z;
    this.#patterns = patterns;
    this.attend = (pass) => attend.dispatch(pass, groups.attend, { targets: tokens });
    this.mix = (pass) => mix.dispatch(pass, groups.mix, { targets: tokens });
  }

  /**
   * Compiles the kernels and makes their inputs.
   *
   * @throws {AllocationError} If the device has no room.
   */
  static async create(
    device: GPUDevice,
    { attending, mixing }: AttentionKernels,
    { tokens, ...shape }: AttentionShape & { readonly tokens: number },
  ): Promise<AttentionTrial> {
    const { heads, channels } = shape;
    const attend = await attending.create(device, shape);
    const mix = await mixing.create(device, shape);
    const owned = new Owned();
    const label = "trial of attention";
    const qkv = Float32Array.from(
      { length: 3 * tokens * channels },
      (_, at) => 2 * Math.sin(at * 12.9898) % 1.7,
    );
    const texture = async (width: number): Promise<GPUTexture> =>
      owned.add(await allocateTexture(device, { label, width: width / 4, height: tokens }));
    const [inputs, z] = [await texture(3 * channels), await texture(channels)];
    const layout = { bytesPerRow: 12 * channels };
    device.queue.writeTexture({ texture: inputs }, qkv, layout, [3 * channels / 4, tokens]);
    const stride = triangleStride(tokens);
    const patterns = owned.add(
      await allocate(device, {
        label,
        bytes: heads * stride * VEC4,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
      }),
    );
    const fields: Record<string, number> = { tokens, stride };
    const words = Uint32Array.from(PROMPT_MEMBERS, (member) => fields[member] ?? 0);
    const prompt = owned.add(makeUniform(device, label, words));
    const scale = owned.add(
      makeUniform(device, label, new Float32Array([1 / Math.sqrt(channels / heads)])),
    );
    const view = inputs.createView();
    return new AttentionTrial(device, { owned, tokens, shape, qkv, z, patterns, attend, mix }, {
      attend: [
        [attend.bind({ layer: scale, qkv: view })],
        [attend.bind({ prompt }), 0],
        [attend.bind({ patterns }), 0],
      ],
      mix: [
        [mix.bind({ qkv: view, z: z.createView() })],
        [mix.bind({ prompt }), 0],
        [mix.bind({ patterns }), 0],
      ],
    });
  }

  /** Whether some targets of the first and of the last head agree with float64. */
  async isRight(): Promise<boolean> {
    const { heads, channels } = this.#shape;
    const readback = new Readback(this.#device);
    try {
      const { size } = this.#patterns;
      const rows = Array.from(
        { length: this.#tokens },
        (_, row) => ({ texture: this.#z, row, bytes: 4 * channels }),
      );
      const result = [{ buffer: this.#patterns, bytes: size }, ...rows];
      const staging = await readback.acquire(result);
      const recorder = new Recorder(this.#device, "trial of attention");
      this.attend(recorder.pass);
      this.mix(recorder.pass);
      readback.copy(recorder.encoder, result, staging);
      this.#device.queue.submit([recorder.finish()]);
      const bytes = await readback.take(staging);
      const patterns = new Float32Array(bytes, 0, size / 4);
      const z = new Float32Array(bytes, size);
      return [0, heads - 1].every((head) =>
        CHECKED.filter((target) => target < this.#tokens).every((target) =>
          this.#isTargetRight({ patterns, z }, { head, target })
        )
      );
    } finally {
      await readback.destroy();
    }
  }

  #isTargetRight(
    { patterns, z }: { readonly patterns: Float32Array; readonly z: Float32Array },
    { head, target }: { readonly head: number; readonly target: number },
  ): boolean {
    const { heads, channels } = this.#shape;
    const size = channels / heads;
    const number = (row: number, part: number, d: number): number =>
      this.#qkv[(3 * row + part) * channels + head * size + d]!;
    const scores = Array.from({ length: target + 1 }, (_, source) => {
      let sum = 0;
      for (let d = 0; d < size; d++) sum += number(target, 0, d) * number(source, 1, d);
      return sum / Math.sqrt(size);
    });
    const largest = scores.reduce((a, b) => Math.max(a, b));
    const exponents = scores.map((score) => Math.exp(score - largest));
    const sum = exponents.reduce((a, b) => a + b);
    const start = 4 * (head * triangleStride(this.#tokens) + rowStart(target));
    const isClose = (found: number, expected: number): boolean =>
      Math.abs(found - expected) <= TOLERANCE;
    for (let source = 0; source <= target; source++) {
      if (!isClose(patterns[start + source]!, exponents[source]! / sum)) return false;
    }
    for (let d = 0; d < size; d++) {
      const mixed = exponents.reduce((all, it, source) => all + it / sum * number(source, 2, d), 0);
      if (!isClose(z[target * channels + head * size + d]!, mixed)) return false;
    }
    return true;
  }

  /** The ms that each of the two takes. */
  async time(): Promise<{ readonly attend: number; readonly mix: number }> {
    return {
      attend: await timePass(this.#device, this.attend),
      mix: await timePass(this.#device, this.mix),
    };
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

type Groups = readonly [BoundGroup, BoundGroup, BoundGroup];

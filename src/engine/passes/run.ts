import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { PromptActivations } from "../activations/prompt_activations.ts";
import type { Gpu } from "../gpu/device.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import { type DeviceResult, Readback } from "../gpu/readback.ts";
import { Recorder } from "../gpu/recorder.ts";
import { type PromptFields, PromptUniform } from "../kernels/prompt.ts";
import type { Forward } from "../model/forward.ts";
import { type ForwardPass, rowsOf, type Segment } from "../model/pass.ts";
import { stopOf } from "../model/stop.ts";
import { cancelled } from "./cancelled.ts";
import type { PassPieces } from "./pass_pieces.ts";
import type { PlannedPass } from "./plan.ts";

/** Dependencies shared by all runs of an engine. */
export interface RunParts {
  readonly gpu: Gpu;
  readonly architecture: Architecture;
  readonly forward: Forward;
  readonly pieces: PassPieces;
  readonly prompts: PromptUniform;
  readonly readback: Readback;
  /** When the last run was submitted and when it was read back, in ms since 1970. */
  lastRun: { readonly submitted: number; readonly read: number };
}

/** A prompt of a run. Commands that are recorded later can read its activations. */
export interface RunPrompt {
  readonly ids: readonly number[];
  readonly activations: PromptActivations;
  /** The activations of the prompt's beginning, if the longer prompt got new memory. */
  readonly typedOn?: PromptActivations | undefined;
  /** Whether all of it was cached. */
  readonly cacheHit: boolean;
}

/** Commands about the prompts of a run. */
export interface Stage {
  /** The fields that kernels need in each of the stage's dispatches, and the prompt that it is about. */
  readonly fields?: readonly (Partial<PromptFields> & { readonly prompt: RunPrompt })[];
  /** Records the commands; `prompts` has a group for each of the fields. */
  encode?(recorder: Recorder, prompts: readonly BoundGroup[]): void;
}

/** A run of some prompts, from whose activations results are read. */
export class Run {
  readonly prompts: readonly RunPrompt[];
  readonly #parts: RunParts;
  readonly #isWanted: () => boolean;
  #passes: readonly PlannedPass[];
  #hasBegun = false;

  constructor(parts: RunParts, { passes, prompts, isWanted }: {
    readonly passes: readonly PlannedPass[];
    readonly prompts: readonly RunPrompt[];
    readonly isWanted: () => boolean;
  }) {
    this.#parts = parts;
    this.#passes = passes;
    this.prompts = prompts;
    this.#isWanted = isWanted;
  }

  /**
   * Submits a stage and reads its result.
   *
   * @throws {AllocationError} If the device has no room for the result.
   * @throws {InfoflowError} CANCELLED, if the caller no longer waits and something was submitted before.
   */
  async read(stage: Stage & { readonly result: DeviceResult }): Promise<Float32Array<ArrayBuffer>> {
    const { gpu, pieces, readback } = this.#parts;
    this.#stopIfUnwanted();
    const { layers } = this.#parts.architecture;
    const rows = this.#passes.reduce((sum, pass) => sum + wholeRows(pass, layers), 0);
    const staging = await readback.acquire(stage.result);
    const began = performance.now();
    try {
      const recorder = await this.#record(stage);
      readback.copy(recorder.encoder, stage.result, staging);
      this.#submit(recorder);
    } catch (error) {
      readback.release(staging);
      throw error;
    }
    const submitted = performance.now();
    const bytes = await readback.take(staging);
    const read = performance.now();
    pieces.record(rows, read - began);
    const { timeOrigin } = performance;
    this.#parts.lastRun = { submitted: timeOrigin + submitted, read: timeOrigin + read };
    gpu.check();
    return new Float32Array(bytes);
  }

  /**
   * Submits a stage without reading a result. For prompts whose passes go in pieces, it waits for the device, so that
   * the next stage is not begun if the caller has left by then.
   *
   * @throws As {@linkcode read} does.
   */
  async submit(stage: Stage): Promise<void> {
    this.#stopIfUnwanted();
    const recorder = await this.#record(stage);
    const tokens = this.prompts.reduce((sum, { ids }) => sum + ids.length, 0);
    if (this.#parts.pieces.pieces(tokens).length > 1) await this.#pause(recorder);
    else this.#submit(recorder);
  }

  /**
   * One of the prompts as a run of its own, after the passes were submitted. So several prompts can be read in turn
   * after one pass.
   */
  only(prompt: RunPrompt): Run {
    return new Run(this.#parts, { passes: [], prompts: [prompt], isWanted: this.#isWanted });
  }

  /** Submits the passes that no stage has submitted. */
  async end(): Promise<void> {
    if (this.#passes.length > 0) this.#submit(await this.#record({}));
  }

  /** Records the passes, then the stage. All passes but the last are submitted before. */
  async #record({ fields = [], encode }: Stage): Promise<Recorder> {
    const { gpu: { device }, forward, prompts } = this.#parts;
    const passes = this.#passes;
    this.#passes = [];
    let recorder: Recorder | undefined;
    let segments = 0;
    const most = Math.max(0, ...passes.map((planned) => planned.prompts.length));
    prompts.reserve(most + fields.length);
    for (const planned of passes) {
      if (recorder) this.#submit(recorder);
      const rows = planned.prompts.reduce((sum, { ids }) => sum + ids.length, 0);
      await forward.reserve(rows);
      await forward.reserveFor(planned);
      recorder = await this.#encodePass(planned);
      segments = planned.prompts.length;
    }
    recorder ??= new Recorder(device, "answer");
    const asked = fields.map(({ prompt: { ids, activations: { stride } }, ...rest }) => {
      return { tokens: ids.length, stride, ...rest };
    });
    prompts.write(asked, segments);
    encode?.(recorder, asked.map((_, index) => prompts.at(segments + index)));
    return recorder;
  }

  /**
   * Records a pass. One that will take long is submitted in pieces of some layers, all but the last, between which the
   * thread waits for the device and checks whether the caller still waits.
   */
  async #encodePass(planned: PlannedPass): Promise<Recorder> {
    const { gpu: { device }, forward, pieces, prompts } = this.#parts;
    const pass: ForwardPass = { ...planned, segments: this.#segments(planned) };
    prompts.write(pass.segments.map((segment) => {
      const { ids, first, slot, row, activations: { stride } } = segment;
      return { tokens: ids.length, first, slot, row, stride };
    }));
    const parts = pieces.pieces(rowsOf(pass), pass.firstLayer, stopOf(pass).layers);
    let recorder = new Recorder(device, "forward pass");
    if (parts.length > 1) clear(recorder.encoder, pass.segments);
    planned.copy?.(recorder.encoder);
    for (const { first, end, isLast } of parts) {
      forward.encode(recorder, pass, { first, end });
      if (isLast) break;
      await this.#pause(recorder);
      this.#stopIfUnwanted();
      recorder = new Recorder(device, "forward pass");
    }
    return recorder;
  }

  /** Gives the prompts of a pass their rows, one after the other. */
  #segments({ prompts }: PlannedPass): Segment[] {
    let row = 0;
    return prompts.map((prompt, index) => {
      const segment = { ...prompt, row, slot: row, prompt: this.#parts.prompts.at(index) };
      row += prompt.ids.length - prompt.first;
      return segment;
    });
  }

  #submit(recorder: Recorder): void {
    this.#parts.gpu.device.queue.submit([recorder.finish()]);
    this.#hasBegun = true;
  }

  /** Submits the recorded commands and waits until they are done, by reading a number that they wrote. */
  async #pause(recorder: Recorder): Promise<void> {
    const { readback } = this.#parts;
    const { mean: buffer } = this.prompts[0]!.activations;
    const result = [{ buffer, bytes: Float32Array.BYTES_PER_ELEMENT }];
    const staging = await readback.acquire(result);
    readback.copy(recorder.encoder, result, staging);
    this.#submit(recorder);
    await readback.take(staging);
  }

  /** Stops an unwanted run between submissions; before the first one, callers check. */
  #stopIfUnwanted(): void {
    if (this.#hasBegun && !this.#isWanted()) throw cancelled();
  }
}

/** The rows that a pass over all layers computes in the same time. */
function wholeRows(pass: PlannedPass, layers: number): number {
  const rows = pass.prompts.reduce((sum, { ids, first }) => sum + ids.length - first, 0);
  return rows * Math.max(0, stopOf(pass).layers - pass.firstLayer) / layers;
}

/**
 * Clears new activations. Otherwise the device would clear them in the last piece, where it first notices that a kernel
 * reads the patterns: it does not notice writes at dynamic offsets in earlier pieces.
 */
function clear(encoder: GPUCommandEncoder, segments: readonly Segment[]): void {
  for (const { base, activations } of segments) {
    const layersMade = base === activations ? activations.layersMade : 0; // these have patterns
    for (const { buffer, firstLayer } of activations.slabs) {
      if (firstLayer >= layersMade) encoder.clearBuffer(buffer);
    }
  }
}

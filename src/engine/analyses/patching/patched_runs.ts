import { type Patch, type PatchedRun, rowLayers } from "../../../requests/patch.ts";
import type { DeviceContext } from "../../flow/device_context.ts";
import { TEXEL } from "../../gpu/allocate.ts";
import { GrowingBuffer } from "../../gpu/growing_buffer.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import { makeUniform } from "../../gpu/uniform.ts";
import { GatherRows } from "../../kernels/gather_rows.ts";
import { PatchedAttention } from "../../kernels/patched_attention.ts";
import type { BoundLayer } from "../../model/bound_layer.ts";
import { allocateWorkspace, type Workspace } from "../../model/workspace.ts";
import type { Run } from "../../passes/run.ts";
import { type PlacedTables, placeTables, type TablePlaces } from "./layer_tables.ts";
import { RunProgress } from "./run_progress.ts";
import { RunPace } from "./run_pace.ts";
import { batchesOf, type LayerPlan, rowsOfBatch, schedule } from "./schedule.ts";

/** Options of patched runs. */
export interface PatchedRunOptions {
  /** In seconds. Runs that would take longer are refused. */
  readonly limit: number;
  /** Reads the log-sum-exp of the logits of the first rows of the stream, if the metric needs it. */
  totals?(run: Run, streams: GPUTexture, rows: number): Promise<readonly number[]>;
}

/** The last position of the donor, if there is one, of the base run, then of each patched run. */
export interface LastRows {
  /** (runs, C): the residual stream after the last layer. */
  readonly streams: Float32Array<ArrayBuffer>;
  /** (runs), as {@linkcode PatchedRunOptions.totals} reads them. */
  readonly totals: readonly number[];
  /** The rows of layers that were computed for the patches. */
  readonly rowLayers: number;
}

/** The most bytes that a batch's activations take, unless one run takes more. */
const MOST_BYTES = 128 * 2 ** 20;

/** The activations of a batch, and the layers bound to them. */
interface Bench {
  readonly workspace: Workspace;
  readonly layers: readonly BoundLayer[];
  readonly attention: readonly GPUBindGroup[];
  /** From the stream to the stream between attention and MLP, and back. */
  readonly toMiddle: GPUBindGroup;
  readonly toResidual: GPUBindGroup;
}

/**
 * Runs a prompt many times, each time with one patch, as one ragged batch of rows: a run joins in the layer where it is
 * patched, and only rows that the patch can change are computed (`schedule.ts`).
 */
export class PatchedRuns {
  readonly #context: DeviceContext;
  readonly #kernels: { readonly attention: PatchedAttention; readonly gather: GatherRows };
  readonly #scales: readonly GPUBuffer[];
  readonly #rows: GPUBuffer;
  readonly #tables: GrowingBuffer;
  readonly #pace = new RunPace();

  private constructor(
    context: DeviceContext,
    kernels: { attention: PatchedAttention; gather: GatherRows },
  ) {
    const { device, architecture } = this.#context = context;
    this.#kernels = kernels;
    this.#scales = architecture.scales.map((scale, layer) =>
      makeUniform(device, `scale of layer ${layer}`, new Float32Array([scale]))
    );
    this.#rows = makeUniform(device, "rows of a batch", new Uint32Array(2));
    this.#tables = new GrowingBuffer(device, "tables of patched runs");
  }

  /** Compiles the kernels. */
  static async create(context: DeviceContext): Promise<PatchedRuns> {
    const { device, architecture } = context;
    return new PatchedRuns(context, {
      attention: await PatchedAttention.create(device, architecture),
      gather: await GatherRows.create(device, architecture),
    });
  }

  /**
   * Runs patches.
   *
   * @param run Records and reads.
   * @throws {InfoflowError} MATRIX_TOO_LARGE if it would take too long; CANCELLED if no caller waits any more.
   * @throws {AllocationError} If the device has no room for one run.
   */
  async run(
    run: Run,
    { patches, patched }: { readonly patches: readonly Patch[]; readonly patched: PatchedRun },
    { limit, totals }: PatchedRunOptions,
  ): Promise<LastRows> {
    const { device, architecture: { channels, layers } } = this.#context;
    const work = rowLayers(patches, patched);
    this.#pace.check(work, limit);
    const batches = batchesOf(patches, patched, this.#mostRows());
    const tallest = Math.max(...batches.map((batch) => rowsOfBatch(batch, patched)));
    using bench = await this.#bench(tallest);
    device.queue.writeBuffer(this.#rows, 0, new Uint32Array([bench.workspace.rows, 0]));
    const others = patched.from ? 2 : 1; // runs beside the patched ones
    const streams = new Float32Array((others + patches.length) * channels);
    const sums: number[] = [];
    const whole = others * patched.ids.length * layers * batches.length;
    const progress = new RunProgress(work + whole, limit, this.#pace);
    let at = 0;
    for (const batch of batches) {
      const plans = schedule(batch, patched);
      const { rows } = plans.at(-1)!;
      const { residualTexture: texture } = bench.workspace;
      await this.#runBatch(run, bench, { plans, patched, progress });
      const some = await totals?.(run, texture, rows) ?? [];
      const bytes = channels * Float32Array.BYTES_PER_ELEMENT;
      const result = Array.from({ length: rows }, (_, row) => ({ texture, row, bytes }));
      const read = await run.read({ result });
      // The donor and the base run are in every batch.
      const skipped = at === 0 ? 0 : others;
      streams.set(read.subarray(skipped * channels), at * channels);
      sums.push(...some.slice(skipped));
      at += rows - skipped;
    }
    return { streams, totals: sums, rowLayers: work };
  }

  /** Runs a batch in pieces of some layers, after each of which the thread waits for the device. */
  async #runBatch(
    run: Run,
    bench: Bench,
    { plans, patched, progress }: {
      readonly plans: readonly LayerPlan[];
      readonly patched: PatchedRun;
      readonly progress: RunProgress;
    },
  ): Promise<void> {
    const { device } = this.#context;
    const tables = await placeTables(device, this.#tables, plans);
    this.#embed(bench.workspace, [...patched.from ?? [], ...patched.ids], patched.ids.length);
    const { residualTexture: texture } = bench.workspace;
    let first = 0;
    for (const [layer, plan] of plans.entries()) {
      const isLast = layer === plans.length - 1;
      if (!progress.add(plan.rows) && !isLast) continue;
      const piece = plans.slice(first, layer + 1);
      await run.read({
        encode: (recorder) =>
          piece.forEach((plan, at) =>
            this.#encodeLayer(recorder, { bench, plan, layer: first + at, tables })
          ),
        result: [{ texture, row: 0, bytes: TEXEL }],
      });
      progress.look();
      first = layer + 1;
    }
  }

  #encodeLayer(
    recorder: Recorder,
    { bench, plan, layer: index, tables }: {
      readonly bench: Bench;
      readonly plan: LayerPlan;
      readonly layer: number;
      readonly tables: PlacedTables;
    },
  ): void {
    const { workspace, toMiddle, toResidual } = bench;
    const { residualTexture: residual, middleTexture: middle } = workspace;
    const places = tables.places[index]!;
    const layer = bench.layers[index]!;
    const { rows } = plan;
    const gather = (
      table: keyof Omit<TablePlaces, "attention">,
      [group, from, to]: readonly [GPUBindGroup, GPUTexture, GPUTexture],
    ): void => {
      const count = plan[table]?.length ?? 0;
      if (count === 0) return;
      const { buffer, rowsBytes: size } = tables;
      const sources = this.#kernels.gather.bind({ sources: { buffer, size } });
      const groups = [[group], [sources, places[table]]] as const;
      this.#kernels.gather.dispatch(recorder.pass, groups, { rows: count });
      recorder.encoder.copyTextureToTexture({ texture: to }, { texture: from }, [
        this.#context.architecture.channels / 4,
        count,
      ]);
    };
    gather("streams", [toMiddle, residual, middle]);
    layer.attentionIn(recorder.pass, plan.queryRows);
    this.#encodeAttention(recorder, bench.attention[index]!, { tables, places, rows });
    gather("lastRows", [toMiddle, residual, middle]);
    layer.attentionOut(recorder.pass, rows);
    layer.mlpIn(recorder.pass, rows);
    gather("middles", [toResidual, middle, residual]);
    layer.mlpOut(recorder.pass, rows);
  }

  #encodeAttention(
    recorder: Recorder,
    operands: GPUBindGroup,
    { tables: { buffer, attentionBytes: size }, places, rows }: {
      readonly tables: PlacedTables;
      readonly places: TablePlaces;
      readonly rows: number;
    },
  ): void {
    const table = this.#kernels.attention.bind({ rows: { buffer, size } });
    const groups = [[operands], [table, places.attention]] as const;
    this.#kernels.attention.dispatch(recorder.pass, groups, { rows });
  }

  async #bench(rows: number): Promise<Bench & Disposable> {
    const { device, architecture } = this.#context;
    const workspace = await allocateWorkspace(device, architecture, { rows, qkvLayers: 1 });
    const { residual, middle, qkv: [qkv], z } = workspace;
    return {
      workspace,
      layers: this.#context.forward.bindLayers(workspace, this.#rows),
      attention: this.#scales.map((layer) => this.#kernels.attention.bind({ layer, qkv: qkv!, z })),
      toMiddle: this.#kernels.gather.bind({ x: residual, y: middle }),
      toResidual: this.#kernels.gather.bind({ x: middle, y: residual }),
      [Symbol.dispose]: () => workspace.destroy(),
    };
  }

  /** The most rows of a batch. */
  #mostRows(): number {
    const { device, architecture: { channels, inner } } = this.#context;
    const rowBytes = (7 * channels + inner) * Float32Array.BYTES_PER_ELEMENT;
    const tallest = device.limits.maxTextureDimension2D - 1;
    return Math.min(tallest, Math.floor(MOST_BYTES / rowBytes));
  }

  /** x[t] = wte[id_t] + wpe[t], for prompts of `tokens` tokens one after the other. */
  #embed({ residualTexture }: Workspace, ids: readonly number[], tokens: number): void {
    const { device, architecture: { channels: C }, weights: { wte, wpe } } = this.#context;
    const x = new Float32Array(ids.length * C);
    ids.forEach((id, row) => {
      const position = row % tokens;
      for (let c = 0; c < C; c++) x[row * C + c] = wte[id * C + c]! + wpe[position * C + c]!;
    });
    device.queue.writeTexture(
      { texture: residualTexture },
      x,
      { bytesPerRow: C * Float32Array.BYTES_PER_ELEMENT },
      [C / 4, ids.length],
    );
  }
}

/**
 * `deno task device`: says what the adapter can do, and how near to it each kernel of linears comes.
 *
 *     deno task device [--json]
 *
 * What a kernel computes is looked at before it is timed. A product is bound by arithmetic or by the reading of its
 * weights, whichever takes longer at the measured peaks: the share is of that.
 */
import { parseArgs } from "node:util";
import { requestGpu } from "../src/engine/gpu/device.ts";
import { checkLinear } from "../src/engine/kernels/check_linear.ts";
import { LinearKernel } from "../src/engine/kernels/linear.ts";
import { timeLinear } from "../src/engine/kernels/time_linear.ts";
import { TILINGS } from "../src/engine/tuning.ts";
import { copyRate, dispatchRate, fmaRate, readbackRate } from "./peaks.ts";

/** A kernel at a shape. */
interface Row {
  readonly kernel: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly rows: number;
  readonly ms: number;
  readonly gflops: number;
  readonly gbs: number;
  /** Of what the adapter's peaks allow. */
  readonly share: number;
}

/** The linears of GPT-2 small. */
const SHAPES = [[768, 2304], [768, 768], [768, 3072], [3072, 768]] as const;
const ROWS = [14, 64, 256, 1024];
/** A kernel that took so many ms is not tried on more rows. */
const LONG = 500;

const { values: { json } } = parseArgs({ options: { json: { type: "boolean" } } });
const gpu = await requestGpu();
const { device, info } = gpu;
const fma = await fmaRate(device);
const copy = await copyRate(device);
const [dispatch, readback] = [await dispatchRate(device), await readbackRate(device)];
const peaks = {
  gflops: fma.gflops!,
  gbs: copy.bytes! / copy.ms / 1e6,
  dispatchUs: 1000 * dispatch.ms,
  readbackMs: readback.ms,
};
const rows: Row[] = [];
for (const tiling of TILINGS) {
  const kernel = await LinearKernel.create(device, tiling);
  for (const [inputs, outputs] of SHAPES) {
    if (!await checkLinear(device, kernel, { inputs, outputs })) {
      throw new Error(`${kernel.name} computes ${inputs} x ${outputs} wrong: it is not timed`);
    }
    for (const count of ROWS) {
      const ms = await timeLinear(device, kernel, { inputs, outputs, rows: count });
      const flops = 2 * count * inputs * outputs;
      const bytes = 4 * (inputs * outputs + count * (inputs + 2 * outputs));
      const least = Math.max(flops / peaks.gflops, bytes / peaks.gbs) / 1e6;
      const [gflops, gbs] = [flops, bytes].map((it) => it / ms / 1e6) as [number, number];
      const shape = { inputs, outputs, rows: count };
      rows.push({ kernel: kernel.name, ...shape, ms, gflops, gbs, share: least / ms });
      if (ms > LONG) break;
    }
  }
}
gpu.check();
if (json) console.log(JSON.stringify({ adapter: info, peaks, rows }));
else show();
Deno.exit(0);

function show(): void {
  console.log(`${info.description || info.vendor}${info.isFallback ? ", a software adapter" : ""}`);
  console.log(
    `  ${number(peaks.gflops)} GFLOP/s of fused multiply-adds, ${
      number(peaks.gbs)
    } GB/s of copies, ` +
      `${number(peaks.dispatchUs)} us a dispatch, ${number(peaks.readbackMs)} ms a readback\n`,
  );
  const table = [
    ["kernel", "inputs", "outputs", "rows", "ms", "GFLOP/s", "GB/s", "of the peak"],
    ...rows.map(({ kernel, inputs, outputs, rows, ms, gflops, gbs, share }) =>
      [
        kernel,
        inputs,
        outputs,
        rows,
        number(ms),
        number(gflops),
        number(gbs),
        `${Math.round(100 * share)} %`,
      ].map(String)
    ),
  ];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  for (const row of table) {
    console.log(
      row.map((it, i) => i === 0 ? it.padEnd(widths[i]!) : it.padStart(widths[i]!)).join("  "),
    );
  }
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

import { join } from "node:path";
import { partFile } from "../../run/job.ts";
import { ParquetFile } from "../../output/parquet_file.ts";
import { type ExamplePrompt, examplesTable } from "../statistics_table.ts";
import { ActivationRun } from "./activation_run.ts";
import type { DashboardEngine } from "./dashboard_engine.ts";
import { writeFeatureRows } from "./feature_rows.ts";

/** Tokens and prompts that the engine has at once. */
const GROUP_TOKENS = 8192;
const GROUP_PROMPTS = 256;
/** Groups that the engine has: one at work, one that it can turn to. */
const IN_FLIGHT = 2;
/** The most activations of a file: they are in memory until it is written. */
const RUN_ROWS = 2 ** 19;

type Found = Awaited<ReturnType<DashboardEngine["find"]>>;

/** Writes the activations and the prompts of a part as they come; memory does not depend on how many there are. */
export class PartActivations {
  readonly files: Record<string, number> = {};
  /** Positions that were looked at, BOS left out, and tokens of the longest prompt. */
  positions = 0;
  longest = 0;
  readonly #engine: DashboardEngine;
  readonly #about: Readonly<Record<string, unknown>>;
  readonly #place: { readonly directory: string; readonly part: number };
  readonly #prompts: ParquetFile;
  #run: ActivationRun;
  #runs = 0;
  #group: ExamplePrompt[] = [];
  #tokens = 0;
  #inFlight: { readonly group: readonly ExamplePrompt[]; readonly found: Promise<Found> }[] = [];

  constructor(
    engine: DashboardEngine,
    place: { readonly directory: string; readonly part: number },
    about: Readonly<Record<string, unknown>>,
  ) {
    this.#engine = engine;
    this.#about = about;
    this.#place = place;
    this.#run = new ActivationRun(engine.features, RUN_ROWS);
    const { schema } = examplesTable([], about);
    this.#prompts = new ParquetFile(this.#path("prompts"), schema);
  }

  /** Takes a prompt; waits where the engine has enough to do. */
  async add(prompt: ExamplePrompt): Promise<void> {
    const { length } = prompt.ids;
    if (this.#group.length === GROUP_PROMPTS || this.#tokens + length > GROUP_TOKENS) {
      await this.#send();
    }
    this.#group.push(prompt);
    this.#tokens += length;
  }

  /** Writes what is left. */
  async end(): Promise<void> {
    await this.#send();
    while (this.#inFlight.length > 0) await this.#take();
    if (this.#run.size > 0 || this.#runs === 0) await this.#flush();
    this.files[partFile("prompts", this.#place.part, "parquet")] = await this.#prompts.close();
  }

  /** Leaves no file half-written. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#inFlight.map(({ found }) => found));
    await this.#prompts.abort();
  }

  async #send(): Promise<void> {
    const group = this.#group;
    if (group.length === 0) return;
    [this.#group, this.#tokens] = [[], 0];
    if (this.#inFlight.length === IN_FLIGHT) await this.#take();
    const found = this.#engine.find(group.map(({ ids }) => ids));
    found.catch(() => {}); // thrown where it is awaited
    this.#inFlight.push({ group, found });
    await this.#prompts.write(examplesTable(group, this.#about).batch);
  }

  async #take(): Promise<void> {
    const { group, found } = this.#inFlight.shift()!;
    const { positions, features, activations } = await found;
    if (!this.#run.hasRoom(positions.length)) {
      if (this.#run.size > 0) await this.#flush();
      if (!this.#run.hasRoom(positions.length)) {
        this.#run = new ActivationRun(this.#engine.features, positions.length);
      }
    }
    let n = 0;
    let first = 0;
    for (const { row, ids } of group) {
      const counted = ids[0] === this.#engine.bosId ? 1 : 0;
      const end = first + ids.length;
      for (; n < positions.length && positions[n]! < end; n++) {
        const position = positions[n]! - first;
        if (position >= counted) this.#run.add(features[n]!, row, position, activations[n]!);
      }
      first = end;
      this.positions += ids.length - counted;
      this.longest = Math.max(this.longest, ids.length);
    }
  }

  async #flush(): Promise<void> {
    const number = String(this.#runs++).padStart(5, "0");
    const name = partFile("activations", this.#place.part, `${number}.parquet`);
    const path = join(this.#place.directory, name);
    this.files[name] = await writeFeatureRows(path, this.#run.take(), this.#about);
  }

  #path(stem: string): string {
    return join(this.#place.directory, partFile(stem, this.#place.part, "parquet"));
  }
}

import { createHash } from "node:crypto";
import type { ArrowForm } from "../arrow/form.ts";
import { LAYOUT_VERSION } from "../arrow/layout_version.ts";
import type { Reading } from "./reading.ts";

/** The arguments of a link: those of the field in `schema.graphql`, undefined and null left out. */
export type LinkArguments = Readonly<Record<string, unknown>>;

/**
 * The answer to a question about a prompt. Its options are checked at once; its numbers are computed at their first
 * use.
 */
export abstract class Answer {
  readonly reading: Reading;
  #id: string | undefined;

  constructor(reading: Reading) {
    this.reading = reading;
  }

  /** Its field in `schema.graphql`, which also names its link. */
  abstract readonly field: string;

  /** The arguments of its link beside the prompt and the model. */
  abstract readonly linkArguments: LinkArguments;

  /** Its normalized options, which distinguish it from other answers of its field about the same tokens. */
  protected abstract identity(): Readonly<Record<string, unknown>>;

  /** The answer as Arrow IPC. */
  abstract arrow(form?: ArrowForm): Promise<Uint8Array<ArrayBuffer>>;

  /** Whether no forward pass was run for it. */
  abstract cacheHit(): Promise<boolean>;

  /** A hash of the model, where it runs, the token ids and the options: same id, same bytes. */
  get id(): string {
    return this.#id ??= this.#hash();
  }

  #hash(): string {
    const { model: { name, engine: { info } }, ids } = this.reading;
    return createHash("sha256").update(JSON.stringify([
      LAYOUT_VERSION,
      this.field,
      name,
      info.fingerprint,
      info.device.description,
      ids,
      Object.entries(this.identity()).sort(([a], [b]) => a < b ? -1 : 1),
    ])).digest("hex").slice(0, 32);
  }

  /** The metadata of every answer's Arrow schema. */
  protected get metadata(): {
    readonly version: number;
    readonly id: string;
    readonly model: string;
    readonly fingerprint: string;
    readonly prompt: string | null;
  } {
    const { model: { name, engine }, prompt } = this.reading;
    const { fingerprint } = engine.info;
    return { version: LAYOUT_VERSION, id: this.id, model: name, fingerprint, prompt };
  }
}

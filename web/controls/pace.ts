/** Waits no longer than this for an answer when a newer question is there. */
const PATIENCE = 500;

/**
 * Runs an action at the pace it can keep: at once if none is under way, else as soon as that one ends. Of the calls
 * made meanwhile, only the last one is run.
 */
export class Pace {
  readonly #act: () => Promise<void>;
  #isBusy = false;
  #isDue = false;

  constructor(act: () => Promise<void>) {
    this.#act = act;
  }

  /** Asks for it to be done. */
  async run(): Promise<void> {
    if (this.#isBusy) {
      this.#isDue = true;
      return;
    }
    this.#isBusy = true;
    do {
      this.#isDue = false;
      let timer: number | undefined;
      const patience = new Promise<void>((resolve) => timer = setTimeout(resolve, PATIENCE));
      await Promise.race([this.#act(), patience]).catch(() => {});
      clearTimeout(timer);
    } while (this.#isDue);
    this.#isBusy = false;
  }
}

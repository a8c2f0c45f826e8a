/** Waits no longer than this for an answer when a newer question is there. */
const PATIENCE = 500;

/**
 * Does something as often as it can be done: at once where nothing is under way, else as soon as that is done. Of what
 * was asked for meanwhile, only the last is done.
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

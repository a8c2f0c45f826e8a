import { html } from "../draw/elements.ts";
import { forecastOf } from "../server/forecast.ts";
import type { Asked } from "../views/view.ts";
import { drawForecast } from "./forecast_table.ts";

/** What the model expects next, beside the picture of the same prompt with the same heads off. */
export class ForecastPanel {
  readonly element = html("div", { id: "forecast" });
  #key = "";

  /** Takes away what belongs to another picture than the one that is drawn now. */
  clearFor({ state }: Pick<Asked, "state">, off = ""): void {
    if (forecastOf(state, off).key !== this.#key) this.element.replaceChildren();
  }

  /** Asks for it and draws it. */
  async show({ state, ask, isNewest }: Asked, off = ""): Promise<void> {
    const question = forecastOf(state, off);
    const forecast = await ask(question);
    if (!isNewest() || this.#key === question.key && this.element.hasChildNodes()) return;
    this.#key = question.key;
    drawForecast(this.element, forecast);
  }
}

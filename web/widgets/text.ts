import { share } from "../draw/format.ts";
import { coloursOf, factorOf, type Shade } from "../draw/shade.ts";
import { rampFor, type Theme } from "../draw/theme.ts";
import type { Matrix } from "../server/matrix.ts";
import type { TokenSpan } from "../server/reading.ts";
import { light, markCurrent, type TextEvents, TokenText } from "./token_text.ts";
import { type Direction, linksOf } from "./weights_of.ts";

/** The data of a text view. */
export interface TextPicture {
  readonly prompt: string;
  /** As many as the matrix has positions. */
  readonly spans: readonly TokenSpan[];
  readonly matrix: Matrix;
  readonly theme: Theme;
  /** On the scale of the whole matrix, so that a token with no preference looks like one. */
  readonly shade: Shade;
  readonly direction: Direction;
}

/** The prompt as text: the tokens that feed the one pointed at, or take from it, light up by their weight. */
export class TextView {
  readonly #text: TokenText;
  #picture: TextPicture | undefined;
  #pointed: number | undefined;
  #chosen: number | undefined;

  constructor(element: HTMLElement, events: TextEvents) {
    this.#text = new TokenText(element, {
      point: (position) => {
        this.#pointed = position;
        this.#light();
        events.point(position);
      },
      choose: (position) => events.choose(position),
    });
  }

  /** Shows a text, or the same one with other weights. */
  show(picture: TextPicture): void {
    this.#picture = picture;
    this.#text.show(picture.prompt, picture.spans);
    this.mark(this.#chosen);
  }

  /** Marks the chosen token, whose links show while none is pointed at. */
  mark(position: number | undefined): void {
    this.#chosen = position;
    this.#light();
    this.#text.reach(position);
  }

  #light(): void {
    if (!this.#picture) return;
    const { matrix, theme, shade, direction } = this.#picture;
    const position = this.#pointed ?? this.#chosen;
    const weights = position === undefined || position >= matrix.positions
      ? undefined
      : linksOf(matrix, position, direction);
    const ramp = rampFor(theme, shade);
    this.#text.tokens.forEach((token, index) => {
      const weight = weights?.[index] ?? 0;
      const target = direction === "sources" ? position ?? 0 : index;
      const isSelf = index === position;
      const isLit = weight !== 0 && !(isSelf && shade.hidesSelf);
      const colours = coloursOf(factorOf(shade.unit, target) * weight, shade, ramp);
      light(token, isLit ? { ...colours, says: share(weight) } : undefined);
      markCurrent(token, isSelf);
    });
  }
}

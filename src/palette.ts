/**
 * Infoflow's colours for weights, from nothing to all: paper, orange, crimson, plum, in equal steps to the eye (CIELAB).
 * The page computes all of them (`web/draw/ramp.ts`); terminals and notebooks have these nine and what lies between.
 */
export const PALETTE: readonly (readonly [red: number, green: number, blue: number])[] = [
  [251, 242, 233],
  [249, 204, 179],
  [252, 166, 143],
  [249, 124, 125],
  [230, 81, 122],
  [193, 53, 124],
  [143, 46, 118],
  [92, 43, 98],
  [45, 32, 63],
];

/** The colour at a share of the way, 0 to 1. */
export function colourAt(share: number): [red: number, green: number, blue: number] {
  const at = Math.min(1, Math.max(0, share)) * (PALETTE.length - 1);
  const low = Math.min(Math.floor(at), PALETTE.length - 2);
  const [from, to] = [PALETTE[low]!, PALETTE[low + 1]!];
  const mix = (channel: 0 | 1 | 2): number =>
    Math.round(from[channel] + (to[channel] - from[channel]) * (at - low));
  return [mix(0), mix(1), mix(2)];
}

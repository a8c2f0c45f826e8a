/** The square of cells that is in sight: its first source and target, and how many of each. */
export interface Window {
  readonly source: number;
  readonly target: number;
  readonly size: number;
}

/** Fewer cells are not shown, where there are more. */
const LEAST = 8;

/** All cells. */
export function whole(positions: number): Window {
  return { source: 0, target: 0, size: positions };
}

/** Some last tokens: what they take from each other. */
export function last(count: number, positions: number): Window {
  const size = Math.min(count, positions);
  return { source: positions - size, target: positions - size, size };
}

/** A window of a factor's part of its size, in which a place stays where it is. */
export function zoomed(
  { source, target, size }: Window,
  factor: number,
  { at, positions }: {
    at: { readonly source: number; readonly target: number };
    positions: number;
  },
): Window {
  const wanted = Math.round(size * factor);
  // At least by one cell, so that every step does something.
  const step = factor < 1 ? Math.min(wanted, size - 1) : Math.max(wanted, size + 1);
  const next = Math.min(positions, Math.max(Math.min(LEAST, positions), step));
  const share = next / size;
  return within({
    source: Math.round(at.source - (at.source - source) * share),
    target: Math.round(at.target - (at.target - target) * share),
    size: next,
  }, positions);
}

/** A window moved by a number of cells. */
export function moved(window: Window, sources: number, targets: number, positions: number): Window {
  const { source, target, size } = window;
  return within({ source: source + sources, target: target + targets, size }, positions);
}

/** The same window, moved as little as can be for a cell to be in sight. */
export function including(
  window: Window,
  cell: { readonly source: number; readonly target: number },
  positions: number,
): Window {
  const into = (from: number, at: number): number =>
    Math.min(at, Math.max(from, at - window.size + 1));
  return within({
    source: into(window.source, cell.source),
    target: into(window.target, cell.target),
    size: window.size,
  }, positions);
}

function within({ source, target, size }: Window, positions: number): Window {
  const clamp = (from: number): number => Math.min(positions - size, Math.max(0, from));
  return { source: clamp(source), target: clamp(target), size };
}

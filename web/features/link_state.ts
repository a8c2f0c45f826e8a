/** What the fragment of the page's link holds, such as `#search=to&order=MAX`: it reaches no server and no log. */
export function readLinkState<Name extends string>(
  initial: Readonly<Record<Name, string>>,
): Record<Name, string> {
  const given = new URLSearchParams(location.hash.slice(1));
  const names = Object.keys(initial) as Name[];
  return Object.fromEntries(
    names.map((name) => [name, given.get(name) ?? initial[name]]),
  ) as Record<Name, string>;
}

/** Writes what differs from what it is at first. */
export function writeLinkState<Name extends string>(
  state: Readonly<Record<Name, string>>,
  initial: Readonly<Record<Name, string>>,
): void {
  const given = new URLSearchParams();
  for (const name of Object.keys(state) as Name[]) {
    if (state[name] !== initial[name]) given.set(name, state[name]);
  }
  const { pathname, search } = location;
  history.replaceState(null, "", `${pathname}${search}${given.size > 0 ? `#${given}` : ""}`);
}

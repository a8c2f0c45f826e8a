/** Where the server's pages begin: beside this script, whatever a proxy puts in front. */
const ROOT = new URL("./", import.meta.url);

/** What the page's own address is of: the list, or one feature. */
export interface Address {
  readonly model: string | undefined;
  /** The autoencoder; not given: the model's first. */
  readonly sae: string | undefined;
  readonly index: number | undefined;
}

/** Reads an address such as `/features/res-4/873`; an autoencoder's name may have slashes. */
export function readAddress({ pathname, search }: Pick<URL, "pathname" | "search">): Address {
  const parts = pathname.slice(ROOT.pathname.length).split("/").slice(1).filter(Boolean)
    .map(decodeURIComponent);
  const isFeature = parts.length > 1 && /^\d{1,9}$/.test(parts.at(-1)!);
  return {
    model: new URLSearchParams(search).get("model") ?? undefined,
    sae: (isFeature ? parts.slice(0, -1) : parts).join("/") || undefined,
    index: isFeature ? Number(parts.at(-1)) : undefined,
  };
}

/** The address of the list or of a feature. */
export function addressOf({ model, sae, index }: Address): string {
  const parts = ["features", ...sae?.split("/").map(encodeURIComponent) ?? []];
  if (index !== undefined) parts.push(String(index));
  const query = model === undefined ? "" : `?model=${encodeURIComponent(model)}`;
  return `${ROOT.pathname}${parts.join("/")}${query}`;
}

/** The address of something else of the server's, such as `feature.arrow?sae=res-4`. */
export function siblingOf(path: string): string {
  return new URL(path, ROOT).href;
}

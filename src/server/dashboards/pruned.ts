import type { FileMetaData, SchemaElement } from "hyparquet";

/**
 * A file's metadata without some fields, which are then not read: whole columns hyparquet leaves out itself, fields of a
 * struct it does not.
 *
 * @param isLeft Whether a field is left out, by the names that lead to it, such as `examples`, `list`, `item`, `ids`.
 */
export function pruned(
  metadata: FileMetaData,
  isLeft: (path: readonly string[]) => boolean,
): FileMetaData {
  const { schema, row_groups: groups } = metadata;
  let at = 0;
  /** Takes the next element with all below it, which follow it depth first; gives none of them if it is left out. */
  const take = (path: readonly string[]): SchemaElement[] => {
    const element = schema[at++]!;
    const own = at === 1 ? [] : [...path, element.name];
    const children = Array.from({ length: element.num_children ?? 0 }, () => take(own));
    if (isLeft(own)) return [];
    if (children.length === 0) return [element];
    const kept = children.filter(({ length }) => length > 0);
    return [{ ...element, num_children: kept.length }, ...kept.flat()];
  };
  const isKept = (path: readonly string[]): boolean =>
    !path.some((_, end) => isLeft(path.slice(0, end + 1)));
  return {
    ...metadata,
    schema: take([]),
    row_groups: groups.map((group) => ({
      ...group,
      columns: group.columns.filter(({ meta_data }) => isKept(meta_data!.path_in_schema)),
    })),
  };
}

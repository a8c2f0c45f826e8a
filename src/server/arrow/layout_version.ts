/**
 * The version of the Arrow layouts, which is `version` in their metadata and a part of every answer's id: equal ids
 * mean equal bytes. `CHANGELOG.md` lists the changes of each version.
 */
export const LAYOUT_VERSION = 2;

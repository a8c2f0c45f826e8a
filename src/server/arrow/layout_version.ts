/**
 * Which Arrow layouts answers have, as their metadata say in `version`. `CHANGELOG.md` says what each version changed.
 * It is a part of every answer's id: equal ids mean equal bytes.
 */
export const LAYOUT_VERSION = 2;

/** Infoflow's version, as in `CHANGELOG.md`. */
export const VERSION = "0.1.0";

import { createRequire } from "node:module";

/** The driver's version. */
export const { version } = createRequire(import.meta.url)("mongodb/package.json");

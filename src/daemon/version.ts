import packageJson from "../../package.json" with { type: "json" };

/** Set where the program is built (scripts/build.mjs): the version and the commit. */
declare const TREMPLIN_VERSION: string | undefined;

/** The version of this program. */
export const version: string = typeof TREMPLIN_VERSION === "string" ? TREMPLIN_VERSION : packageJson.version;

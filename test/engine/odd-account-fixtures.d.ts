import type { AccountCase } from "./account-fixtures.ts";
/** Containers whose account files, skeleton or programs are not those of a fresh Debian. */
export declare const oddCases: readonly AccountCase[];

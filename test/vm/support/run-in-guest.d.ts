import type { GuestTest } from "./report.ts";
/**
 * Boots a virtual machine, runs compiled test files in it, and turns it off. What it wrote on its disk is thrown away.
 * Throws with its console when it did not come to the tests' end.
 */
export declare function runInGuest(files: readonly string[]): Promise<readonly GuestTest[]>;

import type { TestDaemon } from "./daemon.ts";
/** What of an engine must be the same after its database was made anew. */
export interface ResetContents {
    readonly instances: unknown;
    readonly snapshots: unknown;
    readonly volumes: string;
    readonly networks: unknown;
    readonly profiles: unknown;
}
/**
 * Three containers: one with a snapshot that differs from it, one with a profile of a user's own, a folder of this machine and a
 * volume, one with a second network. Answers the folder.
 */
export declare function createThree(daemon: TestDaemon): Promise<string>;
/** Everything that must come back. */
export declare function readResetContents(daemon: TestDaemon): Promise<ResetContents>;
/** Restores the snapshot, and checks that it is as it was. */
export declare function restorePenguin(daemon: TestDaemon): Promise<void>;

import type { TestDaemon } from "./daemon.ts";
/** The process of the LXD that a daemon launched. */
export declare function enginePid({ folder }: Pick<TestDaemon, "folder">): Promise<number>;
/** The process of the LXD whose folder that is. */
export declare function pidOfEngine(folder: string): Promise<number>;

import type { TestDaemon } from "./daemon.ts";
/** StartLxd until its end, which must be STARTED. Answers what is said although it is. */
export declare function startLxd({ tremplin, listener }: TestDaemon, resetLxdDb?: boolean): Promise<string>;
/** What of a reset is kept in the state folder: old databases, and how far it is. */
export declare function remainsOfReset({ folder }: TestDaemon): Promise<string[]>;

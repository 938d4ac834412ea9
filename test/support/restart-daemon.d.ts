import type { TestDaemon } from "./daemon.ts";
/** Starts a killed daemon again, unless it runs, and waits until its engine runs and everything is recovered. */
export declare function restartDaemon(daemon: TestDaemon): Promise<void>;

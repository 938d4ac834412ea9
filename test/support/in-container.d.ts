import type { TestDaemon } from "./daemon.ts";
/**
 * Runs a program in a running container by the engine's own command line, independent of the project's client,
 * and gives what it printed. Throws with its errors unless it ends with 0.
 */
export declare function inContainer(daemon: TestDaemon, container: string, ...command: string[]): Promise<string>;
/** What the engine answers to a GET of a path, by its own command line. */
export declare function engineQuery(daemon: TestDaemon, path: string): Promise<unknown>;
/** Runs the engine's own command line and gives what it printed. */
export declare function engineCommand(daemon: TestDaemon, ...words: string[]): Promise<string>;

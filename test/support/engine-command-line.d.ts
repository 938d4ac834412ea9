import type { TestDaemon } from "./daemon.ts";
/** The engine's own command line as a person uses it, also while no daemon runs. Gives what it printed. */
export declare function engineCommandLine({ folder, }: Pick<TestDaemon, "folder">): (...words: string[]) => Promise<string>;

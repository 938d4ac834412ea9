/** Builds the package into a folder, with little compression. Returns its path. */
export declare function buildPackage(folder: string, ...options: readonly string[]): Promise<string>;
/** The same package with another version, as an older or a newer one. */
export declare function withVersion(path: string, version: string, folder: string): Promise<string>;
/** A copy of a small Debian with an engine, below a folder that is removed with its test. */
export declare function copyOfDebian(folder: string): Promise<string>;
export interface Outcome {
  readonly code: number;
  readonly output: string;
}
/** Runs a program, and returns what it printed on both outputs. */
export declare function outcomeOf(program: string, words: readonly string[]): Promise<Outcome>;

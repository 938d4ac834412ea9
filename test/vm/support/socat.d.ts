/** Runs socat between two of its addresses until this is disposed; with the flag `-u` only from one to the other. */
export declare function socat(from: string, to: string, ...flags: readonly string[]): AsyncDisposable;

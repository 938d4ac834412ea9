/** An engine's program that can be broken: then each start of it dies at once. */
export interface BreakableEngine extends AsyncDisposable {
    /** Where it lies: to be put in front of a PATH. */
    readonly folder: string;
    /** The PATH of the daemon that is to use it. */
    readonly path: string;
    break(): Promise<void>;
    mend(): Promise<void>;
}
export declare function breakableEngine(): Promise<BreakableEngine>;

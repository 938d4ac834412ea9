/** An igzip that can be held in the middle, so that an export lasts as long as a test wants. */
export interface HeldCompressor extends AsyncDisposable {
    /** The PATH of the daemon that is to use it. */
    readonly path: string;
    /** The next that packs stands still soon after it has written so many bytes (default: its first). */
    hold(bytes?: number): Promise<void>;
    /** Resolves once it does. */
    held(): Promise<true>;
    /** Who stands still goes on, and nobody else will. */
    release(): Promise<void>;
}
export declare function heldCompressor(): Promise<HeldCompressor>;

import type { RandomSource } from "./random-source.ts";
/** A user in the shared folder, where exports go to. */
export declare class RandomSharedFolder {
    #private;
    constructor(folder: string, random: RandomSource, tell: (line: string) => void);
    /** A name for an export: of nothing, of an old backup with a hard link to it, or of an empty file. */
    target(): Promise<string>;
    /** Does something to the file that an export was to write. */
    act(name: string): Promise<void>;
}

/** Random numbers that come again with the same seed (mulberry32). */
export declare class RandomSource {
    #private;
    constructor(seed: number);
    /** From 0 to just below 1. */
    next(): number;
    /** A whole number from 0 to just below the limit. */
    below(limit: number): number;
    chance(probability: number): boolean;
    pick<T>(all: readonly T[]): T;
}

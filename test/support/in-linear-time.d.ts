/**
 * For tests of what is linear in the size of its input: does the work and fails if that took 10 seconds. On a
 * megabyte anything linear is far below, on the slowest machine too, and anything quadratic far above.
 */
export declare function inLinearTime<Result>(work: () => Result): Result;

/** What a run of the tests left on the machine, one line each: all of it bears the run's mark. */
export declare function leftBehind(run: string): Promise<string[]>;

/** How often each is measured. Fewer rounds are for those who work on it. */
export declare const ROUNDS: number;
/** A line of a table of results. */
export type Row = readonly [what: string, ours: string, baseline: string, limit: string];
/** How long some acts take one after the other. Milliseconds. */
export declare function time(...acts: (() => Promise<unknown>)[]): Promise<number>;
export declare function median(values: readonly number[]): number;
export declare function ms(milliseconds?: number): string;
export declare function printTable(rows: readonly Row[]): void;

/** How often each is measured. Fewer rounds are for those who work on it. */
export const ROUNDS = Number(process.env.TREMPLIN_BENCH_ROUNDS ?? 5);

/** A line of a table of results. */
export type Row = readonly [what: string, ours: string, baseline: string, limit: string];

/** How long some acts take one after the other. Milliseconds. */
export async function time(...acts: (() => Promise<unknown>)[]): Promise<number> {
  const began = performance.now();
  for (const act of acts) await act();
  return performance.now() - began;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export function ms(milliseconds = Number.NaN): string {
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

export function printTable(rows: readonly Row[]): void {
  const table = [["what", "measured", "baseline", "at most"] as const, ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

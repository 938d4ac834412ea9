import { displayWidth, padToWidth, wrapToWidth } from "./text-width.ts";

const GAP = 2;
/** A last column is never broken into less than that. */
const MIN_LAST = 10;
/** A longer word is broken too. */
const MAX_WORD = 40;

type Rows = readonly (readonly string[])[];

/**
 * Rows as a table with aligned columns, without trailing spaces. Where a terminal has too few columns for it, the last
 * column is broken into lines, or else each row is a block of lines, named by the first row.
 */
export function tableText(rows: Rows, columns = Number.POSITIVE_INFINITY): string {
  const widths = widthsOf(rows);
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP, 0);
  if (before + (widths.at(-1) ?? 0) <= columns) return linesOf(rows, widths);
  if (before + longestWord(rows) <= columns) return linesOf(breakLast(rows, columns - before), widths);
  const [head = [], ...others] = rows;
  if (head.length <= 2) return linesOf(breakLast(rows, Math.max(MIN_LAST, columns - before)), widths);
  const blocks = others.map((row) => head.map((name, column) => [name, row[column] ?? ""]));
  return blocks.map((block) => tableText(block, columns)).join("\n");
}

/** The table with as many of its first columns as a terminal has room for. */
export function narrowTableText(rows: Rows, columns: number): string {
  const widths = widthsOf(rows);
  let count = widths.length;
  const total = () => widths.slice(0, count).reduce((sum, width) => sum + width + GAP, -GAP);
  while (count > 1 && total() > columns) count--;
  return linesOf(
    rows.map((row) => row.slice(0, count)),
    widths,
  );
}

function widthsOf(rows: Rows): number[] {
  return (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => displayWidth(row[column] ?? ""))));
}

/** Of the last column. */
function longestWord(rows: Rows): number {
  const words = rows.flatMap((row) => (row.at(-1) ?? "").split(" "));
  return Math.min(MAX_WORD, Math.max(MIN_LAST, ...words.map(displayWidth)));
}

function linesOf(rows: Rows, widths: readonly number[]): string {
  const line = (row: readonly string[]) =>
    row.map((cell, column) => padToWidth(cell, widths[column] ?? 0)).join(" ".repeat(GAP));
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
}

function breakLast(rows: Rows, width: number): Rows {
  return rows.flatMap((row) => {
    const [first = "", ...more] = wrapToWidth(row.at(-1) ?? "", width);
    const others = row.slice(0, -1);
    return [[...others, first], ...more.map((text) => [...others.map(() => ""), text])];
  });
}

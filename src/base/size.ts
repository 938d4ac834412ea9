import { TremplinError } from "./tremplin-error.ts";

const EXPONENTS: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3, T: 4 };

export interface SizeRule {
  /** As in "memory cannot be ...". */
  readonly what: string;
  /** Bytes. */
  readonly least: number;
  /** What a number without a unit counts. Default: there must be a unit. */
  readonly bare?: number;
  /** How the sentence about a wrong size ends. Default: nothing. */
  readonly others?: string;
}

/**
 * The bytes of a size as people write it: 512MiB, 1.5G, 20 gb. K, M, G and T, with or without iB, are powers of 1024;
 * KB, MB, GB and TB are powers of 1000. Throws `invalid`.
 */
export function parseSize(text: string, { what, least, bare, others = "" }: SizeRule): number {
  const bytes = Math.round(bytesOf(text, bare));
  if (bytes >= least && Number.isSafeInteger(bytes)) return bytes;
  const rule = `it is a size such as 512MiB or 20GiB, at least ${sizeText(least)}${others}`;
  throw new TremplinError("invalid", `${what} cannot be ${JSON.stringify(text.slice(0, 80))}: ${rule}`);
}

/** Bytes exactly, with the unit that makes the text shortest, as engines take it: 20GiB, 1500MB. */
export function sizeText(bytes: number): string {
  const units = Object.entries(EXPONENTS).flatMap(([letter, exponent]) => [
    [`${letter}iB`, 1024 ** exponent] as const,
    [letter === "K" ? "kB" : `${letter}B`, 1000 ** exponent] as const,
  ]);
  const exact = [...units.filter(([, factor]) => bytes % factor === 0), ["B", 1] as const];
  const texts = exact.map(([unit, factor]) => `${bytes / factor}${unit}`);
  return texts.reduce((best, each) => (digitsOf(each) < digitsOf(best) ? each : best));
}

/** NaN for what is no size. */
function bytesOf(text: string, bare: number | undefined): number {
  const [, count, letter, rest = ""] = /^(\d{1,15}(?:\.\d{1,6})?)(?: ?([KMGT])(iB|B)?)?$/i.exec(text) ?? [];
  if (count === undefined) return Number.NaN;
  if (letter === undefined) return Number(count) * (bare ?? Number.NaN);
  const base = rest.length === 1 ? 1000 : 1024;
  return Number(count) * base ** (EXPONENTS[letter.toUpperCase()] ?? Number.NaN);
}

function digitsOf(text: string): number {
  return text.replace(/\D/g, "").length;
}

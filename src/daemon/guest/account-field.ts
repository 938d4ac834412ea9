import { TremplinError } from "../../base/tremplin-error.ts";

/** A user or group id: decimal, unsigned, 32 bits. */
export function readId(text: string, field: string): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (id <= 0xffffffff) return id;
  throw new TremplinError("failed", `the ${field} is not a number from 0 to 4294967295`);
}

/** A number of shadow(5): decimal, unsigned, 64 bits; empty means not set. */
export function readCount(text: string, field: string): bigint | undefined {
  if (text === "") return undefined;
  // The length is bounded first: reading a number takes quadratic time.
  const count = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  if (count !== undefined && count < 2n ** 64n) return count;
  throw new TremplinError("failed", `the ${field} is not a number that fits into 64 bits`);
}

/** Names separated by commas, none of them empty; an empty text is an empty list. */
export function readNames(text: string, field: string): readonly string[] {
  const names = text === "" ? [] : text.split(",");
  if (!names.includes("")) return names;
  throw new TremplinError("failed", `the ${field} have an empty name among them`);
}

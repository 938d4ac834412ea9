import { TremplinError } from "../../base/tremplin-error.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** Reads a duration, such as 90s, 30m, 1h, 2d or 1w, in milliseconds. Throws `invalid`. */
export function duration(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  if (unit === undefined) {
    throw new TremplinError("invalid", `"${text}" is no duration: use 90s, 30m, 1h, 2d or 1w`);
  }
  return Number(count) * (UNITS[unit] ?? 0) * 1000;
}

/**
 * Reads when something began: a duration before now, or a date, with a time of day and a zone if you like. Milliseconds
 * since 1970. Throws `invalid`.
 */
export function since(text: string, now: number): number {
  if (/^\d+[a-z]$/.test(text)) return now - duration(text);
  const time = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(text)
    ? new Date(text.length === 10 ? `${text}T00:00` : text).getTime()
    : Number.NaN;
  if (Number.isNaN(time)) {
    throw new TremplinError(
      "invalid",
      `"${text}" is no time: use a duration such as 1h, or a date such as 2026-11-30`,
    );
  }
  return time;
}

import { TremplinError } from "../../base/tremplin-error.ts";

const abbreviation = "(?:[A-Za-z]{3,16}|<[A-Za-z0-9+-]{3,16}>)";
const time = "[+-]?\\d{1,3}(?::[0-5]\\d){0,2}";
const month = "M(?:1[0-2]|[1-9])\\.[1-5]\\.[0-6]";
const julianDay = "J?\\d{1,3}";
const change = `(?:${month}|${julianDay})(?:/${time})?`;
const posixTimeZone = new RegExp(
  `^${abbreviation}${time}(?:${abbreviation}(?:${time})?(?:,${change},${change})?)?$`,
);

/**
 * Throws `invalid` unless the text is a POSIX value of TZ, such as "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX.1, 8.3;
 * hours up to 167 by RFC 8536, 3.3.1), of up to 128 characters.
 */
export function checkPosixTimeZone(text: string): void {
  if (isPosixTimeZone(text)) return;
  throw new TremplinError("invalid", 'the POSIX time zone must look like "CET-1CEST,M3.5.0,M10.5.0/3"');
}

/** Whether the text is a POSIX value of TZ. */
export function isPosixTimeZone(text: string): boolean {
  return text.length <= 128 && posixTimeZone.test(text);
}

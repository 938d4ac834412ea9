/*
 * Files of a container are not always UTF-8, and unchanged parts must be written back byte for byte. So they are
 * decoded as latin1: each byte is one character, and nothing is lost.
 */

/** Bytes as text, one character for each byte. */
export function decodeLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The inverse of `decodeLatin1`. The text must have no characters above U+00FF. */
export function encodeLatin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** Latin1 text for people: its bytes decoded as UTF-8, with U+FFFD for malformed ones. */
export function displayText(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}

/**
 * Removes ASCII white space at both ends. `String.trim` would also remove U+00A0, which here is the last byte of
 * letters like "à".
 */
export function trimAscii(text: string): string {
  return trimAsciiEnd(trimAsciiStart(text));
}

/** As `trimAscii`, only at the start. */
export function trimAsciiStart(text: string): string {
  let start = 0;
  while (start < text.length && isSpace(text.charCodeAt(start))) start++;
  return text.slice(start);
}

/** As `trimAscii`, only at the end. A loop, because `/\s+$/` takes quadratic time. */
export function trimAsciiEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/*
 * Files of a container are not always UTF-8, and what is not changed must come back byte for byte. So they
 * are read as latin1: each byte is one character, and nothing can be lost.
 */

/** The bytes as text, one character for each byte. */
export function decodeLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The bytes that `textOf` reads as this text. Characters above U+00FF have none: keep them out before. */
export function encodeLatin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** What people see where `textOf` shows bytes: the text read as UTF-8, with U+FFFD for what is not. */
export function displayText(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}

/**
 * Without white space at both ends. Only that of ASCII: `String.trim` takes U+00A0 for white space, which
 * here is the last byte of letters like "à". A loop, since `/\s+$/` needs quadratic time.
 */
export function trimAscii(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

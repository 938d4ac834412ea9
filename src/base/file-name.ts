import { plainText } from "./text.ts";

const MAX_NAME_BYTES = 255;
const SLASH = 0x2f;

/** Whether bytes can be the name of a file in a folder, so that a path with them at its end leads into that folder. */
export function isFileName(name: Uint8Array): boolean {
  if (name.length === 0 || name.length > MAX_NAME_BYTES) return false;
  const isDots = name.every((byte) => byte === 0x2e) && name.length <= 2;
  return !isDots && !name.includes(SLASH) && !name.includes(0);
}

/** Bytes of a path for people: malformed UTF-8 as U+FFFD, and nothing that a terminal obeys. */
export function pathText(path: Uint8Array): string {
  return plainText(Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString("utf8"));
}

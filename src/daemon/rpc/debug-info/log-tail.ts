import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { errorMessage } from "../../../base/tremplin-error.ts";

/** The longest tail of one log, before debugText shares out the bytes. */
const MAX_TAIL_BYTES = 512 * 1024;

/** The last lines of a file; undefined where there is no file, a sentence where it cannot be read. */
export async function tailOfFile(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const start = Math.max(0, size - MAX_TAIL_BYTES);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MAX_TAIL_BYTES), position: start });
    return afterCut(buffer.subarray(0, bytesRead), start > 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return `it cannot be read: ${errorMessage(error)}`;
  }
}

/** The last lines of a stream. */
export async function tailOfStream(stream: Readable): Promise<string> {
  let tail = Buffer.alloc(0);
  let isCut = false;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    tail = Buffer.concat([tail, chunk]);
    isCut ||= tail.length > MAX_TAIL_BYTES;
    tail = tail.subarray(-MAX_TAIL_BYTES);
  }
  return afterCut(tail, isCut);
}

/** The whole lines at the end of a text that fit into `maxBytes`. */
export function lastLines(text: Buffer, maxBytes: number): Buffer {
  if (text.length <= maxBytes) return text;
  const end = text.subarray(text.length - maxBytes);
  const newline = end.indexOf("\n");
  return newline < 0 ? Buffer.alloc(0) : end.subarray(newline + 1);
}

/** Drops a first line that is cut: it may hold a secret without the word by which maskSecrets finds it. */
function afterCut(tail: Buffer, isCut: boolean): string {
  return (isCut ? lastLines(tail, tail.length - 1) : tail).toString();
}

import type { FileHandle } from "node:fs/promises";

const CHUNK = 256 * 1024;

/**
 * The bytes of a file from its beginning. Several passes can read the same file at once. A stream of Node would close
 * the file when a reader stops early.
 */
export async function* bytesOfFile(file: FileHandle): AsyncGenerator<Buffer, void, void> {
  for (let position = 0; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

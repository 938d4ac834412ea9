import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";

/** The body of a request with several files, which are read while they are sent. */
export interface Multipart {
  readonly contentType: string;
  readonly body: Readable;
}

/** Builds a `multipart/form-data` body (RFC 7578) of files in the given order, each under its name. */
export function multipart(files: Readonly<Record<string, AsyncIterable<Uint8Array>>>): Multipart {
  const boundary = randomUUID();
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Readable.from(encode(files, boundary), { objectMode: false }),
  };
}

async function* encode(files: Readonly<Record<string, AsyncIterable<Uint8Array>>>, boundary: string) {
  for (const [name, content] of Object.entries(files)) {
    const disposition = `form-data; name="${name}"; filename="${name}"`;
    yield `--${boundary}\r\nContent-Disposition: ${disposition}\r\nContent-Type: application/octet-stream\r\n\r\n`;
    yield* content;
    yield "\r\n";
  }
  yield `--${boundary}--\r\n`;
}

import type { Readable } from "node:stream";
import type { ConnectError } from "@connectrpc/connect";
import { MAX_MESSAGE_BYTES, type Metering, PREFIX_BYTES, tooLarge } from "./unfinished-messages.ts";

/** All that a request has, or the answer to one that has too much. */
export type WholeBody = { readonly bytes: Buffer } | { readonly error: ConnectError };

/** Reads a request with one message, while what is kept of it is counted. Undefined: the caller has gone. */
export async function wholeBody(
  request: Readable,
  { hold, noRoom }: Pick<Metering, "hold" | "noRoom">,
): Promise<WholeBody | undefined> {
  const { promise, resolve } = Promise.withResolvers<WholeBody | undefined>();
  let chunks: Buffer[] = [];
  let bytes = 0;
  const refuse = (error: ConnectError): void => {
    chunks = [];
    // What still comes is dropped.
    request.off("data", add).resume();
    resolve({ error });
  };
  const add = (chunk: Buffer): void => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_MESSAGE_BYTES + PREFIX_BYTES) refuse(tooLarge());
    else if (!hold(bytes)) refuse(noRoom());
  };
  request.on("data", add);
  request.once("end", () => {
    const [only = Buffer.alloc(0)] = chunks;
    resolve({ bytes: chunks.length > 1 ? Buffer.concat(chunks) : only });
  });
  request.once("close", () => resolve(undefined));
  return await promise;
}

/** The same for whoever reads it piece by piece. */
export async function* pieces(body: WholeBody): AsyncGenerator<Uint8Array, void, void> {
  if ("error" in body) throw body.error;
  yield body.bytes;
}

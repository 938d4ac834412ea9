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
  let kept = new Kept();
  let bytes = 0;
  const refuse = (error: ConnectError): void => {
    kept = new Kept();
    // What still comes is dropped.
    request.off("data", add).resume();
    resolve({ error });
  };
  const add = (chunk: Buffer): void => {
    kept.add(chunk);
    bytes += chunk.length;
    if (bytes > MAX_MESSAGE_BYTES + PREFIX_BYTES) refuse(tooLarge());
    else if (!hold(bytes)) refuse(noRoom());
  };
  request.on("data", add);
  request.once("end", () => resolve({ bytes: kept.whole() }));
  request.once("close", () => resolve(undefined));
  return await promise;
}

const BLOCK_BYTES = 16 * 1024;

/**
 * What came, in few pieces: a peer may send each byte by itself, and each would keep all that the system has read
 * together with it.
 */
class Kept {
  #first: Buffer | undefined;
  readonly #blocks: Buffer[] = [];
  /** Of the last block. */
  #used = BLOCK_BYTES;

  add(chunk: Buffer): void {
    const isFirst = !this.#first && this.#blocks.length === 0;
    if (isFirst) this.#first = chunk;
    else {
      if (this.#first) this.#copy(this.#first);
      this.#first = undefined;
      this.#copy(chunk);
    }
  }

  whole(): Buffer {
    if (this.#first) return this.#first;
    const unused = BLOCK_BYTES - this.#used;
    return Buffer.concat(this.#blocks, this.#blocks.length * BLOCK_BYTES - unused);
  }

  #copy(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#used === BLOCK_BYTES) {
        this.#blocks.push(Buffer.allocUnsafeSlow(BLOCK_BYTES));
        this.#used = 0;
      }
      const copied = chunk.copy(this.#blocks.at(-1) as Buffer, this.#used, at);
      this.#used += copied;
      at += copied;
    }
  }
}

/** The same for whoever reads it piece by piece. */
export async function* pieces(body: WholeBody): AsyncGenerator<Uint8Array, void, void> {
  if ("error" in body) throw body.error;
  yield body.bytes;
}

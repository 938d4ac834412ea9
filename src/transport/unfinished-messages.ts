import { Code, ConnectError } from "@connectrpc/connect";

/** Nothing in the contract is larger than a notice, which may have 1 MiB. */
export const MAX_MESSAGE_BYTES = 1024 * 1024 + 64 * 1024;

/** A byte of flags and four of the length precede each message of gRPC, and of the streams of Connect. */
export const PREFIX_BYTES = 5;

export interface Metering {
  /** Whether several messages may come. */
  readonly streams: boolean;
  /** Whether the caller compresses its messages, which then count as large as they can be. */
  readonly isCompressed: boolean;
  /** Counts what is kept now; false: there is no room. Bytes. */
  readonly hold: (bytes: number) => boolean;
  /** The answer where there is no room. */
  readonly noRoom: () => ConnectError;
}

/**
 * The body of a call, while the bytes that are kept of it are counted: of a call with one message all, else those of
 * the message that is not complete. Throws the answer to a call that has no room, or whose message is too large.
 */
export async function* metered(
  body: AsyncIterable<Uint8Array>,
  { streams, isCompressed, hold, noRoom }: Metering,
): AsyncGenerator<Uint8Array, void, void> {
  const least = isCompressed ? MAX_MESSAGE_BYTES : 0;
  if (isCompressed && !hold(least)) throw noRoom();
  const unfinished = streams ? new UnfinishedMessage() : new OneMessage();
  // A loop of `for await` would end the connection together with the reading, so before the answer.
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) return;
    const bytes = unfinished.add(value);
    if (bytes > MAX_MESSAGE_BYTES + PREFIX_BYTES) throw tooLarge();
    if (!hold(Math.max(least, bytes))) throw noRoom();
    yield value;
  }
}

/** The answer to a message that is too large. */
export function tooLarge(): ConnectError {
  return new ConnectError(
    `a message of a request may have ${MAX_MESSAGE_BYTES} bytes, and this one has more`,
    Code.ResourceExhausted,
  );
}

class OneMessage {
  #bytes = 0;

  add(chunk: Uint8Array): number {
    this.#bytes += chunk.length;
    return this.#bytes;
  }
}

/** Follows the messages of a stream by their prefixes. */
export class UnfinishedMessage {
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  /** Bytes of the message that is not complete, with its prefix. */
  #bytes = 0;
  /** How many it will have, as soon as the prefix says so. */
  #whole = Number.POSITIVE_INFINITY;

  /** Adds what came, and returns how many bytes are kept: those of the unfinished message. */
  add(chunk: Uint8Array): number {
    for (let at = 0; at < chunk.length; ) {
      const wanted = this.#bytes < PREFIX_BYTES ? PREFIX_BYTES : this.#whole;
      const part = chunk.subarray(at, at + wanted - this.#bytes);
      if (this.#bytes < PREFIX_BYTES) this.#prefix.set(part, this.#bytes);
      at += part.length;
      this.#bytes += part.length;
      if (this.#bytes === PREFIX_BYTES) this.#whole = PREFIX_BYTES + this.#prefix.readUInt32BE(1);
      if (this.#bytes === this.#whole) {
        this.#bytes = 0;
        this.#whole = Number.POSITIVE_INFINITY;
      }
    }
    return this.#bytes;
  }
}

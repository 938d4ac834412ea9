import { fromBinary } from "@bufbuild/protobuf";
import { MAX_INPUT_BYTES, WINDOW_BYTES } from "../../../base/terminal-link.ts";
import { type ShellInput, ShellInputSchema } from "../../../contract/tremplin/v1/guest_pb.js";

/** What a page has sent for a program and that has not read it yet, in order and bounded. */
export class TypedInputs implements AsyncIterable<ShellInput> {
  readonly #onTaken: (bytes: number) => void;
  readonly #waiting: { readonly input: ShellInput; readonly bytes: number }[] = [];
  #bytes = 0;
  #more = Promise.withResolvers<void>();
  #isOver = false;

  /** `onTaken`: gets the bytes that the program's way has room for again. */
  constructor(onTaken: (bytes: number) => void) {
    this.#onTaken = onTaken;
  }

  /** False: it is no input, or the page has sent more than it may. */
  add(message: Uint8Array): boolean {
    this.#bytes += message.length;
    if (this.#bytes > WINDOW_BYTES + MAX_INPUT_BYTES) return false;
    try {
      this.#waiting.push({ input: fromBinary(ShellInputSchema, message), bytes: message.length });
    } catch {
      return false;
    }
    this.#more.resolve();
    return true;
  }

  end(): void {
    this.#isOver = true;
    this.#more.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ShellInput, void, void> {
    while (!this.#isOver) {
      const first = this.#waiting.shift();
      if (first) {
        yield first.input;
        this.#bytes -= first.bytes;
        this.#onTaken(first.bytes);
        continue;
      }
      await this.#more.promise;
      this.#more = Promise.withResolvers<void>();
    }
  }
}

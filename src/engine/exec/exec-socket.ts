import { Readable } from "node:stream";
import type { WebSocket } from "ws";
import { abortable } from "../../base/async/abortable.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** What a command writes, as a stream that holds the engine back while nobody reads. */
export function outputOf(socket: WebSocket): Readable {
  let over = false;
  const output = new Readable({
    read: () => socket.resume(),
    destroy: (error, done) => {
      socket.terminate();
      done(error);
    },
  });
  const end = () => {
    over = true;
    output.push(null);
  };
  // A text message, always empty, is the engine's mark for the end; what the command writes is binary.
  socket.on("message", (data: Buffer, isBinary) => {
    if (!isBinary) end();
    else if (!over && !output.push(data)) socket.pause();
  });
  socket.once("close", (code) => {
    if (over || code === 1000) end();
    else output.destroy(new TremplinError("unavailable", "the engine went away in the middle of the output"));
  });
  // Whoever reads is told; who does not hears of it by the exit code.
  output.on("error", () => undefined);
  return output;
}

/** Sends all chunks and then the mark for the end. Returns early, without an error, once the command is over. */
export async function sendInput(
  socket: WebSocket,
  input: AsyncIterable<Uint8Array>,
  over: AbortSignal,
): Promise<void> {
  const chunks = input[Symbol.asyncIterator]();
  try {
    while (socket.readyState === socket.OPEN) {
      const { done, value } = await abortable(chunks.next(), over);
      if (done) return socket.send("");
      await new Promise<void>((resolve) => socket.send(value, { binary: true }, () => resolve()));
    }
  } catch (error) {
    if (!over.aborted) throw error;
  } finally {
    // A stream that waits for more would not notice that its iterator is given up.
    if (input instanceof Readable) input.destroy();
    else chunks.return?.().catch(() => undefined);
  }
}

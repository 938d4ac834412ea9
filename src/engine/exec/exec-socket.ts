import { Readable } from "node:stream";
import type { WebSocket } from "ws";
import { abortable } from "../../base/async/abortable.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** The output of a command as a stream with back-pressure. */
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
  // An empty text message marks the end; the output itself is binary.
  socket.on("message", (data: Buffer, isBinary) => {
    if (!isBinary) end();
    else if (!over && !output.push(data)) socket.pause();
  });
  socket.once("close", (code) => {
    if (over || code === 1000) end();
    else
      output.destroy(
        new TremplinError("unavailable", "the connection to the engine was lost in the middle of the output"),
      );
  });
  // A reader gets the error; a caller who does not read gets it from the exit code.
  output.on("error", () => undefined);
  return output;
}

/** Sends all chunks and the mark of the end. Returns early, without an error, once the command has finished. */
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
    // A stream that waits for more data does not notice when its iterator is abandoned.
    if (input instanceof Readable) input.destroy();
    else chunks.return?.().catch(() => undefined);
  }
}

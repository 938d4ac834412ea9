import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { TremplinError } from "../tremplin-error.ts";

/**
 * Holds a name that only one process of the machine can hold at a time. The kernel lets go of it when the
 * process ends, however it ends (a socket address without a file). Throws `busy` with the sentence given.
 */
export async function acquireProcessLock(name: string, sentence: string): Promise<AsyncDisposable> {
  const address = `\0tremplin-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
  const holder = createServer((socket) => socket.destroy()).unref();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  holder.once("error", (error) => reject(new TremplinError("busy", sentence, error)));
  holder.listen(address, resolve);
  await promise;
  return {
    async [Symbol.asyncDispose]() {
      await new Promise((done) => holder.close(done));
    },
  };
}

import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { TremplinError } from "../tremplin-error.ts";

/**
 * Acquires a lock that one process of the machine can hold at a time. It is a socket address without a file, so the
 * kernel releases it however the process ends. Throws `busy` with the given sentence.
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

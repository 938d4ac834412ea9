import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Guest, WriteTransferInput } from "../../contract/tremplin/v1/guest_pb.js";
import { contentOf, TransferFolder } from "../operations/transfer-folder.ts";
import type { RpcDeps } from "./rpc.ts";

type Handlers = Pick<
  ServiceImpl<typeof Guest>,
  "createTransfer" | "readTransfer" | "writeTransfer" | "removeTransfer"
>;

/** Backups for callers who do not see the shared folder (docs/contract.md#our-own-rpcs). */
export function transfers({ places }: Pick<RpcDeps, "places">): Handlers {
  const folder = new TransferFolder(places.shared);
  return {
    createTransfer: async ({ fileName }) => ({ path: await folder.newPath(fileName) }),
    async *readTransfer({ path }, { signal }: HandlerContext) {
      await using file = await folder.open(path);
      for await (const chunk of contentOf(file)) {
        signal.throwIfAborted();
        yield chunk;
      }
    },
    async *writeTransfer(inputs) {
      const source = inputs[Symbol.asyncIterator]();
      const first: WriteTransferInput | undefined = (await source.next()).value;
      if (first?.input.case !== "fileName") {
        throw new TremplinError("invalid", "the first input of a transfer must be file_name");
      }
      const incoming = { fileName: first.input.value, totalBytes: Number(first.totalBytes) };
      const receiving = folder.receive(incoming, dataOf(source));
      try {
        for (;;) {
          const { done, value } = await receiving.next();
          if (done) {
            yield { path: value };
            return;
          }
          yield { receivedBytes: BigInt(value.receivedBytes) };
        }
      } finally {
        // A caller that goes away ends this at a yield.
        await receiving.return("");
      }
    },
    removeTransfer: async ({ path }) => {
      await folder.remove(path);
      return {};
    },
  };
}

/** The bytes until the caller says that they are all. Throws where it ends its inputs before. */
async function* dataOf(source: AsyncIterator<WriteTransferInput>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const next = await source.next();
    if (next.done) throw new TremplinError("cancelled", "the transfer ended before the file was complete");
    const { input } = next.value as WriteTransferInput;
    if (input.case === "done") return;
    if (input.case === "data") yield input.value;
  }
}

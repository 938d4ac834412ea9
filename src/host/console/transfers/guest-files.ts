import { type CallOptions, type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { Guest as GuestService, type TransferChunk } from "../../../contract/tremplin/v1/guest_pb.js";
import { GetContainerInfoResponse_Status as Info, Tremplin } from "../../../contract/tremplin_pb.js";
import type { Connection } from "../../../transport/client.ts";
import type { Guest } from "../../guest.ts";

const CALL_TIMEOUT_MS = 30_000;
/** A guest that is away removes its files by itself, later. */
const REMOVE_TIMEOUT_MS = 5_000;

/** The backups on their way from or to a guest, over a connection of their own: other calls do not wait for them. */
export class GuestFiles implements Disposable {
  readonly tremplin: Client<typeof Tremplin>;
  readonly #connection: Connection;
  readonly #client: Client<typeof GuestService>;

  constructor(guest: Guest) {
    this.#connection = guest.connection.another();
    this.#client = createClient(GuestService, this.#connection.transport);
    this.tremplin = createClient(Tremplin, this.#connection.transport);
  }

  /** The path for a file that an export is to write. */
  async create(fileName: string, signal: AbortSignal): Promise<string> {
    try {
      const options = { signal, timeoutMs: CALL_TIMEOUT_MS };
      return (await this.#client.createTransfer({ fileName }, options)).path;
    } catch (thrown) {
      throw explainAbsence(thrown);
    }
  }

  read(path: string, options: CallOptions): AsyncIterable<TransferChunk> {
    return this.#client.readTransfer({ path }, options);
  }

  get write(): Client<typeof GuestService>["writeTransfer"] {
    return this.#client.writeTransfer;
  }

  /** Removes a file when it is disposed of. */
  removing(path: string): AsyncDisposable {
    const remove = async (): Promise<void> => {
      const options = { timeoutMs: REMOVE_TIMEOUT_MS };
      await this.#client.removeTransfer({ path }, options).catch(() => undefined);
    };
    return { [Symbol.asyncDispose]: remove };
  }

  /** Throws `exists` where a container has the name. */
  async assertFree(containerName: string, signal: AbortSignal): Promise<void> {
    const options = { signal, timeoutMs: CALL_TIMEOUT_MS };
    const { status, failureReason } = await this.tremplin.getContainerInfo({ containerName }, options);
    if (status === Info.NOT_FOUND) return;
    if (status !== Info.RUNNING && status !== Info.STOPPED) throw new TremplinError("failed", failureReason);
    const sentence = `there is a container ${containerName} already; its own page can replace it by a backup`;
    throw new TremplinError("exists", sentence);
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}

/** A guest with the contract alone has none of these rpcs. */
export function explainAbsence(thrown: unknown): unknown {
  if (ConnectError.from(thrown).code !== Code.Unimplemented) return thrown;
  const sentence =
    "this guest sends and receives no files: use its shared folder, or put a newer Tremplin on it";
  return new TremplinError("failed", sentence, thrown);
}

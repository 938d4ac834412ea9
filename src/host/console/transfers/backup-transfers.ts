import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import type { Clock } from "../../../base/async/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { Host } from "../../../contract/tremplin/v1/host_pb.js";
import type { Guests } from "../../guests.ts";
import type { EventStore } from "../../store/event-store.ts";
import { downloadBackup } from "./download-backup.ts";
import { Exchanges } from "./exchanges.ts";
import { Transfer } from "./transfer.ts";
import type { TransferDeps } from "./transfer-deps.ts";
import { uploadBackup } from "./upload-backup.ts";

type Rpcs = Pick<ServiceImpl<typeof Host>, "downloadBackup" | "uploadBackup" | "cancelBackupTransfer">;

/** Each has a file in a guest. */
const MOST = 16;

interface Deps {
  readonly guests: Guests;
  readonly events: EventStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The backups that browsers save and send (docs/console.md#backups-of-this-computer). */
export class BackupTransfers implements AsyncDisposable {
  readonly exchanges: Exchanges;
  readonly #deps: Deps;
  readonly #running = new Map<Transfer, Promise<void>>();
  readonly #shutdown = new AbortController();

  constructor(deps: Deps) {
    this.#deps = deps;
    this.exchanges = new Exchanges(deps.clock);
  }

  /** The rpcs, for pages of the console. */
  get handlers(): Rpcs {
    return {
      downloadBackup: (request, context) =>
        this.#run(request.guest, context, (transfer, deps) => downloadBackup(request, transfer, deps)),
      uploadBackup: (request, context) =>
        this.#run(request.guest, context, (transfer, deps) => uploadBackup(request, transfer, deps)),
      cancelBackupTransfer: ({ id }) => {
        const transfer = [...this.#running.keys()].find((each) => each.id === id);
        transfer?.cancel("it was cancelled, and nothing of it was kept");
        return { cancelled: transfer !== undefined };
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shutdown.abort();
    for (const transfer of this.#running.keys()) transfer.cancel("the host shut down meanwhile; begin again");
    await Promise.allSettled(this.#running.values());
  }

  async *#run(
    guestName: string,
    { signal }: HandlerContext,
    work: (transfer: Transfer, deps: TransferDeps) => Promise<void>,
  ) {
    const { guests, events, clock, log } = this.#deps;
    if (this.#running.size >= MOST)
      throw new TremplinError("busy", `${MOST} backups are on their way already; wait until one has ended`);
    const guest = guests.get(guestName);
    const transfer = new Transfer();
    const deps = { guest, exchanges: this.exchanges, events, shutdownSignal: this.#shutdown.signal };
    const running = work(transfer, deps)
      .catch((error) => {
        log.info({ error, guest: guest.name }, "a backup did not reach its place");
        throw error instanceof TremplinError ? error : guest.explain(error);
      })
      .finally(() => this.#running.delete(transfer));
    this.#running.set(transfer, running);
    try {
      yield* transfer.follow(running, clock, signal);
    } finally {
      if (!transfer.goesOnAlone) transfer.cancel("the page that began it was closed");
    }
  }
}

/** Routes of tremplin.v1.Host for `transfers`; without them, for callers that are no page of the console. */
export function backupService(router: ConnectRouter, transfers: BackupTransfers | undefined): void {
  const handlers = transfers?.handlers ?? elsewhere;
  router.rpc(Host.method.downloadBackup, handlers.downloadBackup);
  router.rpc(Host.method.uploadBackup, handlers.uploadBackup);
  router.rpc(Host.method.cancelBackupTransfer, handlers.cancelBackupTransfer);
}

function refuse(): never {
  const sentence =
    "only pages of the console can do this: other programs use ExportContainer and ReadTransfer, WriteTransfer and ImportContainer";
  throw new ConnectError(sentence, Code.FailedPrecondition);
}

const elsewhere: Rpcs = {
  async *downloadBackup() {
    refuse();
  },
  async *uploadBackup() {
    refuse();
  },
  cancelBackupTransfer: refuse,
};

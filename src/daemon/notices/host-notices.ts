import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Address } from "../../transport/address.ts";
import { type Connection, dial } from "../../transport/client.ts";
import type { Tls } from "../../transport/tls.ts";
import { deliverTo } from "./delivery.ts";
import { FinalNotices } from "./final-notices.ts";
import { Journal } from "./journal.ts";
import { notice } from "./notice.ts";
import { NoticeQueue } from "./notice-queue.ts";
import { RejectedNotices } from "./rejected-notices.ts";

export interface HostNoticesOptions {
  /** The address of the host's listener. */
  readonly host: Address;
  readonly tls: Tls | undefined;
  readonly token: string | undefined;
  readonly daemonId: string;
  readonly journalFolder: string;
  readonly rejectedFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Everything between the daemon and the host's listener: the connection, the queue, and what is durable of it. */
export class HostNotices implements AsyncDisposable {
  readonly queue: NoticeQueue;
  readonly journal: Journal;
  readonly journalFolder: string;
  readonly rejected: RejectedNotices;
  readonly finals: FinalNotices;
  readonly #connection: Connection;
  readonly #log: Logger;
  #announced: Promise<void> = Promise.resolve();

  private constructor(
    options: HostNoticesOptions,
    parts: Pick<HostNotices, "queue" | "journal" | "rejected">,
    connection: Connection,
  ) {
    const { journalFolder, clock, log } = options;
    this.queue = parts.queue;
    this.journal = parts.journal;
    this.journalFolder = journalFolder;
    this.rejected = parts.rejected;
    this.finals = new FinalNotices({ ...parts, clock, log });
    this.#connection = connection;
    this.#log = log;
  }

  /** Creates the two folders where they are missing. Nothing is sent before `announce`. */
  static async open(options: HostNoticesOptions): Promise<HostNotices> {
    const { host, tls, token, daemonId, journalFolder, rejectedFolder, clock, log } = options;
    const journal = await Journal.open(journalFolder, log);
    const connection = dial(host, { tls, token, peer: { kind: "host" } });
    const queue = new NoticeQueue({ deliver: deliverTo(connection, daemonId), clock, log });
    const rejected = await RejectedNotices.open({ folder: rejectedFolder, queue, clock, log });
    return new HostNotices(options, { queue, journal, rejected }, connection);
  }

  /** Says that the daemon is ready. Returns at once: the host may come much later, and every other notice waits for it. */
  announce(id: string): void {
    this.#announced = this.queue
      .open({ id, orderingKey: "", notice: notice("tremplinReady", {}), final: true })
      .catch((error) => this.#log.debug({ error }, "the daemon stopped before the host was reachable"));
  }

  /** Stops sending. What the host has not answered is sent by the next daemon, as far as it is final. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.queue[Symbol.asyncDispose]();
    await this.#announced;
    this.#connection[Symbol.dispose]();
  }
}

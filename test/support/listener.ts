import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { TremplinListener } from "../../src/contract/tremplin_pb.js";

/** The listener's rpcs by the words that tests use. */
const methods = {
  ready: "tremplinReady",
  startLxd: "updateStartLxdStatus",
  create: "updateCreateStatus",
  delete: "updateDeletionStatus",
  start: "updateStartStatus",
  stop: "updateStopStatus",
  export: "updateExportStatus",
  import: "updateImportStatus",
  shutdown: "containerShutdown",
  ports: "updateListeningPorts",
  upgrade: "upgradeContainerStatus",
} as const satisfies Record<string, keyof typeof TremplinListener.method>;

export type NoticeKind = keyof typeof methods;
type MessageOf<K extends NoticeKind> = MessageShape<
  (typeof TremplinListener.method)[(typeof methods)[K]]["input"]
>;

/** The numbers in the contract that say: more will follow. Every other one is final. */
const inProgress: Partial<Record<NoticeKind, readonly number[]>> = {
  startLxd: [1, 2],
  create: [1],
  start: [4],
  stop: [2],
  export: [3, 4, 5, 6, 7],
  import: [3, 4],
  upgrade: [1],
};

/** One notice as it came. */
export interface RecordedNotice<K extends NoticeKind = NoticeKind> {
  readonly kind: K;
  /** Empty for notices of no container. */
  readonly container: string;
  readonly final: boolean;
  readonly message: MessageOf<K>;
  /** The metadata of the call. */
  readonly headers: Headers;
}

/**
 * A host's side of the wire, independent of the project's own: answers every notice and records it, in the order
 * of its coming. It can be away, refuse, and take its time.
 */
export class RecordingListener implements AsyncDisposable {
  /** Every notice that was answered well. */
  readonly notices: RecordedNotice[] = [];
  /** Called before a notice is answered and recorded. What it throws is the answer. */
  answering: (notice: RecordedNotice) => void | Promise<void> = () => undefined;
  readonly #path: string;
  readonly #waiting = new Set<() => void>();
  readonly #taken = new Set<string>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #server: Http2Server | undefined;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Listens on a unix socket. */
  static async open(path: string): Promise<RecordingListener> {
    const listener = new RecordingListener(path);
    await listener.reopen();
    return listener;
  }

  async reopen(): Promise<void> {
    const server = createServer(
      connectNodeAdapter({ routes: (router) => router.service(TremplinListener, this.#service()) }),
    );
    server.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
    server.listen(this.#path);
    await once(server, "listening");
    this.#server = server;
  }

  /** The host goes away: its connections break and nobody listens. */
  async goAway(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, "close");
    server.close();
    for (const session of this.#sessions) session.destroy();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.goAway();
  }

  /** The first notice, already there or to come, that is as wanted. Throws after the limit with all that came. */
  async when(
    wanted: (notice: RecordedNotice) => boolean,
    what: string,
    limit = 60_000,
  ): Promise<RecordedNotice> {
    const { promise, resolve, reject } = Promise.withResolvers<RecordedNotice>();
    const look = (): void => {
      const found = this.notices.find(wanted);
      if (found) resolve(found);
    };
    const timer = setTimeout(
      () => reject(new Error(`${what} did not come in ${limit} ms; ${this.#told()}`)),
      limit,
    );
    this.#waiting.add(look);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  /**
   * The final notice of an operation. Each call gives the next one that no call gave before, so that starting a
   * container twice is two calls. A notice that is delivered again counts once.
   */
  async final<K extends NoticeKind>(kind: K, container = "", limit?: number): Promise<MessageOf<K>> {
    const notice = await this.when(
      (each) =>
        each.final && each.kind === kind && each.container === container && !this.#taken.has(this.#id(each)),
      `the final notice of ${kind} ${container}`,
      limit,
    );
    this.#taken.add(this.#id(notice));
    return notice.message as MessageOf<K>;
  }

  /** All messages of one kind and container, in order. */
  messages<K extends NoticeKind>(kind: K, container = ""): MessageOf<K>[] {
    return this.notices
      .filter((notice) => notice.kind === kind && notice.container === container)
      .map(({ message }) => message as MessageOf<K>);
  }

  #id(notice: RecordedNotice): string {
    return notice.headers.get("tremplin-notice") ?? `${this.notices.indexOf(notice)}`;
  }

  #told(): string {
    const lines = this.notices.map(
      ({ kind, container, message }) => `${kind} ${container} ${statusOf(message)}`,
    );
    return `what came: ${lines.join(", ") || "nothing"}`;
  }

  #service(): ServiceImpl<typeof TremplinListener> {
    const kinds = Object.keys(methods) as NoticeKind[];
    const handlers = kinds.map((kind) => [
      methods[kind],
      async (message: MessageOf<NoticeKind>, { requestHeader }: { requestHeader: Headers }) => {
        await this.#take(kind, message, requestHeader);
        return {};
      },
    ]);
    return Object.fromEntries(handlers);
  }

  async #take(kind: NoticeKind, message: MessageOf<NoticeKind>, headers: Headers): Promise<void> {
    const container = "containerName" in message ? message.containerName : "";
    const final = !inProgress[kind]?.includes(statusOf(message));
    const notice = { kind, container, final, message, headers };
    try {
      await this.answering(notice);
    } catch (error) {
      throw error instanceof ConnectError ? error : new ConnectError(String(error), Code.Unavailable);
    }
    this.notices.push(notice);
    for (const look of this.#waiting) look();
  }
}

function statusOf(message: MessageOf<NoticeKind>): number {
  return "status" in message ? message.status : 0;
}

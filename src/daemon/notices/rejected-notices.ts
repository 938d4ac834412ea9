import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fromJson, toJson } from "@bufbuild/protobuf";
import * as z from "zod";
import type { Clock } from "../../base/async/clock.ts";
import { removeUnfinished, replaceFile, textOfFile } from "../../base/files/files.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinListener } from "../../contract/tremplin_pb.js";
import type { Acknowledgement } from "./delivery.ts";
import type { ListenerMethod, Notice } from "./notice.ts";
import type { NoticeQueue } from "./notice-queue.ts";

/** A final notice that the host refused. */
export interface RejectedNotice {
  readonly id: string;
  /** Empty for notices of no container. */
  readonly container: string;
  readonly operation?: string | undefined;
  readonly notice: Notice;
  /** What the host said last. */
  readonly reason: string;
  /** When it was refused first, in milliseconds since 1970. */
  readonly since: number;
}

/** How long a refused notice is kept, and how often is looked for those that are older. Milliseconds. */
const LIFETIME = 24 * 60 * 60 * 1000;
const SWEEP = 60 * 60 * 1000;

const METHODS = Object.keys(TremplinListener.method) as [ListenerMethod, ...ListenerMethod[]];
const fileSchema = z.object({
  id: z.string(),
  container: z.string(),
  operation: z.string().optional(),
  method: z.enum(METHODS),
  message: z.json(),
  reason: z.string(),
  since: z.number(),
});

/**
 * Final notices that the host refused: each is kept on disk for a day, in a file of its own, and sent again by the
 * next daemon. A host that was set up wrongly, or was older than the guest, can still hear how things ended.
 */
export class RejectedNotices {
  readonly folder: string;
  readonly #outbox: Pick<NoticeQueue, "send">;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** The ids of those that the host has not answered again yet. */
  readonly #beingSent = new Set<string>();

  private constructor({ folder, outbox, clock, log }: Parameters<typeof RejectedNotices.open>[0]) {
    this.folder = folder;
    this.#outbox = outbox;
    this.#clock = clock;
    this.#log = log;
  }

  /** Makes the folder where it is missing. */
  static async open(options: {
    readonly folder: string;
    readonly outbox: Pick<NoticeQueue, "send">;
    readonly clock: Clock;
    readonly log: Logger;
  }): Promise<RejectedNotices> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    await removeUnfinished(options.folder);
    return new RejectedNotices(options);
  }

  /** Durable when it resolves. */
  async keep(refused: Omit<RejectedNotice, "since">, since = this.#clock.now()): Promise<void> {
    const { notice, ...rest } = refused;
    const message = toJson(TremplinListener.method[notice.method].input, notice.message as never);
    const file = { ...rest, method: notice.method, message, since };
    await replaceFile(this.#path(refused.id), `${JSON.stringify(file)}\n`);
  }

  /** Those of the last day, oldest first. Older ones are dropped, unless they are on their way to the host. */
  async list(): Promise<RejectedNotice[]> {
    const oldest = this.#clock.now() - LIFETIME;
    const isKept = ({ id, since }: RejectedNotice) => since >= oldest || this.#beingSent.has(id);
    const all = await this.#readAll();
    for (const each of all.filter((refused) => !isKept(refused))) await this.#drop(each);
    return all.filter(isKept);
  }

  /**
   * Sends all that is kept to the host again, each before anything newer of its container. Those that somebody else
   * sends anyway (`sentAlready`: their ids) are left to them. One that grew old while no daemon was there is sent
   * once more too.
   */
  async sendAgain(sentAlready: ReadonlySet<string>): Promise<void> {
    for (const refused of await this.#readAll()) {
      if (sentAlready.has(refused.id)) await this.#remove(refused.id);
      else this.#send(refused);
    }
  }

  /** Drops what has become too old, until the signal fires. */
  async sweep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.list().catch((error) => this.#log.error({ error }, "refused notices cannot be read"));
      await this.#clock.sleep(SWEEP, signal).catch(() => undefined);
    }
  }

  async #readAll(): Promise<RejectedNotice[]> {
    const names = (await readdir(this.folder)).filter((name) => name.endsWith(".json"));
    const found = await Promise.all(names.map((name) => this.#read(join(this.folder, name))));
    return found.filter((each) => each !== undefined).sort((a, b) => a.since - b.since);
  }

  #send(refused: RejectedNotice): void {
    const { id, container, operation, notice, since } = refused;
    this.#beingSent.add(id);
    const settled = async (answer: Acknowledgement): Promise<void> => {
      this.#beingSent.delete(id);
      if (answer.kind === "taken") await this.#remove(id);
      else await this.keep({ ...refused, reason: answer.reason }, since);
    };
    this.#outbox.send({
      id: `${id}-end`,
      orderingKey: container,
      notice,
      operation,
      final: true,
      onAcknowledged: settled,
    });
  }

  async #read(path: string): Promise<RejectedNotice | undefined> {
    try {
      const text = await textOfFile(path);
      if (text === undefined) return undefined;
      const { method, message, ...rest } = fileSchema.parse(JSON.parse(text));
      const schema = TremplinListener.method[method].input;
      const read = fromJson(schema, message as never, { ignoreUnknownFields: true });
      return { ...rest, notice: { method, message: read } as Notice };
    } catch (error) {
      this.#log.warn({ error, path }, "a refused notice cannot be read; its file is left");
      return undefined;
    }
  }

  async #drop({ id, container, notice, reason }: RejectedNotice): Promise<void> {
    this.#log.warn(
      { id, container, notice: notice.method, reason },
      "a final notice that the host refused for a day is dropped",
    );
    await this.#remove(id);
  }

  async #remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  #path(id: string): string {
    return join(this.folder, `${id}.json`);
  }
}

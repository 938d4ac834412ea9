import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fromJson, toJson } from "@bufbuild/protobuf";
import * as z from "zod";
import type { Clock } from "../../base/async/clock.ts";
import { removeUnfinished, replaceFile } from "../../base/files/files.ts";
import { JsonFile } from "../../base/files/json-file.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinListener } from "../../contract/tremplin_pb.js";
import type { HostAnswer } from "./delivery.ts";
import type { ListenerMethod, Notice } from "./notice.ts";
import type { NoticeQueue } from "./notice-queue.ts";

/** A final notice that the host rejected. */
export interface RejectedNotice {
  readonly id: string;
  /** Empty for notices of no container. */
  readonly container: string;
  readonly operation?: string | undefined;
  readonly notice: Notice;
  /** The reason of the host's last rejection. */
  readonly reason: string;
  /** When the host rejected it first, in milliseconds since 1970. */
  readonly since: number;
}

const LIFETIME_MS = 24 * 60 * 60 * 1000;
const SWEEP_INTERVAL_MS = 60 * 60 * 1000;

const METHODS = Object.keys(TremplinListener.method) as [ListenerMethod, ...ListenerMethod[]];
const fileSchema = z
  .object({
    id: z.string(),
    container: z.string(),
    operation: z.string().optional(),
    method: z.enum(METHODS),
    message: z.json(),
    reason: z.string(),
    since: z.number(),
  })
  .transform(({ method, message, ...rest }, { addIssue }): RejectedNotice => {
    try {
      const schema = TremplinListener.method[method].input;
      const read = fromJson(schema, message as never, { ignoreUnknownFields: true });
      return { ...rest, notice: { method, message: read } as Notice };
    } catch {
      addIssue({ code: "custom", path: ["message"], message: "it is no message of that rpc" });
      return z.NEVER;
    }
  });

const WITHOUT = "the notice that the host rejected is not sent again";

/**
 * Final notices that the host rejected: each is kept on disk for a day, in a file of its own, and sent again by the
 * next daemon. So a host that was set up wrongly, or was older than the guest, can still learn how operations ended.
 */
export class RejectedNotices {
  readonly folder: string;
  readonly #queue: Pick<NoticeQueue, "send">;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** The ids of those that were sent again and not answered yet. */
  readonly #unanswered = new Set<string>();

  private constructor({ folder, queue, clock, log }: Parameters<typeof RejectedNotices.open>[0]) {
    this.folder = folder;
    this.#queue = queue;
    this.#clock = clock;
    this.#log = log;
  }

  /** Creates the folder if it is missing. */
  static async open(options: {
    readonly folder: string;
    readonly queue: Pick<NoticeQueue, "send">;
    readonly clock: Clock;
    readonly log: Logger;
  }): Promise<RejectedNotices> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    await removeUnfinished(options.folder);
    return new RejectedNotices(options);
  }

  /** Durable when it resolves. */
  async keep(rejected: Omit<RejectedNotice, "since">, since = this.#clock.now()): Promise<void> {
    const { notice, ...rest } = rejected;
    const message = toJson(TremplinListener.method[notice.method].input, notice.message as never);
    const file = { ...rest, method: notice.method, message, since };
    await replaceFile(this.#path(rejected.id), `${JSON.stringify(file)}\n`);
  }

  /** Those of the last day, oldest first. Drops older ones, except those that wait for an answer of the host. */
  async list(): Promise<RejectedNotice[]> {
    const oldest = this.#clock.now() - LIFETIME_MS;
    const isKept = ({ id, since }: RejectedNotice) => since >= oldest || this.#unanswered.has(id);
    const all = await this.#readAll();
    for (const each of all.filter((rejected) => !isKept(rejected))) await this.#drop(each);
    return all.filter(isKept);
  }

  /**
   * Sends all of them again, each before anything newer of its container, also one that is older than a day by now.
   * Forgets those with an id in `sentAlready`: the caller sends these itself.
   */
  async sendAgain(sentAlready: ReadonlySet<string>): Promise<void> {
    for (const rejected of await this.#readAll()) {
      if (sentAlready.has(rejected.id)) await this.#remove(rejected.id);
      else this.#send(rejected);
    }
  }

  /** Drops those that are older than a day, now and every hour, until the signal aborts. */
  async sweep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.list().catch((error) => this.#log.error({ error }, "rejected notices cannot be read"));
      await this.#clock.sleep(SWEEP_INTERVAL_MS, signal).catch(() => undefined);
    }
  }

  async #readAll(): Promise<RejectedNotice[]> {
    const names = (await readdir(this.folder)).filter((name) => name.endsWith(".json"));
    const found = await Promise.all(names.map((name) => this.#read(join(this.folder, name))));
    return found.filter((each) => each !== undefined).sort((a, b) => a.since - b.since);
  }

  #send(rejected: RejectedNotice): void {
    const { id, container, operation, notice, since } = rejected;
    this.#unanswered.add(id);
    const onAnswered = async (answer: HostAnswer): Promise<void> => {
      this.#unanswered.delete(id);
      if (answer.kind === "acknowledged") await this.#remove(id);
      else await this.keep({ ...rejected, reason: answer.reason }, since);
    };
    const queued = { id: `${id}-end`, orderingKey: container, notice, operation };
    this.#queue.send({ ...queued, final: true, onAnswered });
  }

  async #read(path: string): Promise<RejectedNotice | undefined> {
    try {
      return await new JsonFile({ path, schema: fileSchema, without: WITHOUT }).readOrSetAside(this.#log);
    } catch (error) {
      this.#log.warn({ error, path }, "a rejected notice cannot be read now; its file stays");
      return undefined;
    }
  }

  async #drop({ id, container, notice, reason }: RejectedNotice): Promise<void> {
    this.#log.warn(
      { id, container, notice: notice.method, reason },
      "dropped a final notice that the host has rejected for a day",
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

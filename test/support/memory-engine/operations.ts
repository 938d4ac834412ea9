import { randomUUID } from "node:crypto";
import type { OperationRecord } from "../../../src/engine/operations/operation-record.ts";
import type { MemoryEvents } from "./events.ts";
import type { Fault } from "./faults.ts";
import { Refusal, type Route, reply, type Work } from "./rest.ts";
import type { Timestamps } from "./timestamps.ts";

/** One piece of work in the background. */
export class MemoryOperation {
  readonly id = randomUUID();
  readonly #events: MemoryEvents;
  readonly #times: Timestamps;
  readonly #created: string;
  readonly #work: Work;
  readonly #ended = Promise.withResolvers<void>();
  #updated: string;
  #metadata: Readonly<Record<string, unknown>> | null;
  #code = 105;
  #error = "";
  mayCancel = false;

  constructor(work: Work, events: MemoryEvents, times: Timestamps) {
    this.#work = work;
    this.#events = events;
    this.#times = times;
    this.#created = times.next();
    this.#updated = this.#created;
    this.#metadata = work.metadata ?? null;
  }

  /** Resolves when it has ended. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get hasEnded(): boolean {
    return this.#code >= 200;
  }

  view(): OperationRecord {
    const status = { 105: "Pending", 103: "Running", 200: "Success", 400: "Failure", 401: "Cancelled" };
    return {
      id: this.id,
      class: this.#work.class ?? "task",
      description: this.#work.description,
      created_at: this.#created,
      updated_at: this.#updated,
      status: status[this.#code as keyof typeof status],
      status_code: this.#code,
      resources: this.#work.resources ?? null,
      metadata: this.#metadata,
      may_cancel: this.mayCancel,
      err: this.#error,
      location: "none",
    };
  }

  update(metadata: Readonly<Record<string, unknown>>): void {
    if (this.hasEnded) return;
    this.#metadata = { ...this.#metadata, ...metadata };
    this.#updated = this.#times.next();
    this.#announce();
  }

  /** Announces it, and then does the work, unless `fault` says otherwise or it was cancelled or abandoned meanwhile. */
  begin(fault: Fault | undefined): void {
    this.mayCancel = fault?.mayCancel ?? false;
    for (const code of [105, 103]) {
      this.#code = code;
      this.#announce();
    }
    fault?.reach((metadata) => this.update(metadata));
    void this.#run(fault);
  }

  /** An engine that dies forgets it: it changes nothing any more, and no event reports it. */
  abandon(): void {
    this.#code = 401;
  }

  cancel(): void {
    this.#end(401, "");
  }

  async #run(fault: Fault | undefined): Promise<void> {
    try {
      const words = await fault?.outcome;
      if (this.hasEnded) return;
      if (words !== undefined) throw new Error(words);
      await this.#work.run(this);
      this.#end(200, "");
    } catch (error) {
      this.#end(400, (error as Error).message);
    }
  }

  #end(code: number, words: string): void {
    if (this.hasEnded) return;
    this.#code = code;
    this.#error = words;
    this.#announce();
    this.#ended.resolve();
  }

  #announce(): void {
    this.#events.send("operation", this.view());
  }
}

/** All operations since the engine began, also those that ended. */
export class MemoryOperations {
  readonly #all = new Map<string, MemoryOperation>();
  readonly #events: MemoryEvents;
  readonly #times: Timestamps;

  constructor(events: MemoryEvents, times: Timestamps) {
    this.#events = events;
    this.#times = times;
  }

  start(work: Work, fault: Fault | undefined): MemoryOperation {
    const operation = new MemoryOperation(work, this.#events, this.#times);
    this.#all.set(operation.id, operation);
    operation.begin(fault);
    return operation;
  }

  /** The one with this id. Throws the API's 404. */
  get(id: string | undefined): MemoryOperation {
    const found = this.#all.get(id ?? "");
    if (!found) throw new Refusal(404, "OperationRecord not found");
    return found;
  }

  abandonAll(): void {
    for (const operation of this.#all.values()) operation.abandon();
    this.#all.clear();
  }

  routes(): Route[] {
    return [
      reply("GET", "/1.0/operations", () => ({ metadata: this.#byStatus() })),
      reply("GET", "/1.0/operations/:id", ({ params }) => ({ metadata: this.get(params.id).view() })),
      reply("DELETE", "/1.0/operations/:id", ({ params }) => this.#cancel(this.get(params.id))),
      reply("GET", "/1.0/operations/:id/wait", async ({ params, query }) => {
        const operation = this.get(params.id);
        await endOrTimeout(operation, Number(query.get("timeout") ?? -1));
        return { metadata: operation.view() };
      }),
    ];
  }

  #byStatus(): Record<string, OperationRecord[]> {
    const views = [...this.#all.values()].map((operation) => operation.view());
    return Object.groupBy(views, ({ status }) => status.toLowerCase()) as Record<string, OperationRecord[]>;
  }

  #cancel(operation: MemoryOperation): object {
    if (!operation.mayCancel) throw new Refusal(400, "This operation can't be cancelled");
    operation.cancel();
    return {};
  }
}

/** `seconds` below 0 is for ever. */
async function endOrTimeout(operation: MemoryOperation, seconds: number): Promise<void> {
  if (operation.hasEnded) return;
  if (seconds < 0) return await operation.ended;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, seconds * 1000).unref();
  await Promise.race([operation.ended, promise]);
  clearTimeout(timer);
}

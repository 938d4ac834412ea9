import * as z from "zod";
import type { Clock } from "../../base/async/clock.ts";
import { Reconciler } from "../../base/async/reconciler.ts";
import { JsonFile } from "../../base/files/json-file.ts";
import type { Logger } from "../../base/logger.ts";
import { follow, observed } from "../../base/observed.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { EngineEvent } from "../../engine/events/engine-event.ts";
import { instanceOf } from "../../engine/operations/operation-record.ts";
import { instanceStatus } from "../../engine/resources/instance.ts";

const schema = z.array(z.string());

/** First and longest delay before a failed write of the record is retried. Milliseconds. */
const RETRY_DELAYS_MS = [500, 30_000] as const;

interface Options {
  /** Names of the running containers, so that the next daemon can report a stop that happened while none ran. */
  readonly file: string;
  /** Containers that are never reported to the host. */
  readonly isHidden: (name: string) => boolean;
  /** Reports to the host that a container has stopped; resolves once the notice is durable. */
  readonly report: (name: string) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Reports each stop of a container exactly once, whatever caused it (docs/contract.md#containershutdown). An
 * engine may announce a stop twice or, while its event stream is broken, not at all: so only the transition
 * from running to stopped counts, seen in an event or in the list of instances.
 */
export class ContainerStopWatcher implements AsyncDisposable {
  readonly #options: Options;
  readonly #file: JsonFile<typeof schema>;
  readonly #shutdown = new AbortController();
  readonly #saveRetries: Reconciler;
  #running: Set<string> | undefined;
  #work: Promise<void> = Promise.resolve();
  #subscription: Disposable | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#file = new JsonFile({
      path: options.file,
      schema,
      without: "containers that stopped while no daemon ran are not reported",
    });
    const reconcile = (): Promise<boolean> => this.#write();
    this.#saveRetries = new Reconciler({
      reconcile,
      debounceMs: 0,
      retryDelaysMs: RETRY_DELAYS_MS,
      clock: options.clock,
    });
  }

  /** Watches an engine. Resolves once the stops that happened before are reported. */
  async watch(engine: Engine): Promise<void> {
    const interest = {
      types: ["lifecycle"] as const,
      reconnected: () => this.#reconcileLater(engine),
    };
    this.#subscription?.[Symbol.dispose]();
    const subscription = engine.events.subscribe(interest, (event) => this.#onEvent(event));
    this.#subscription = subscription;
    await subscription.ready;
    this.#reconcileLater(engine);
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    this.#shutdown.abort(new TremplinError("cancelled", "the daemon ends"));
    await this.#work;
    await this.#saveRetries[Symbol.asyncDispose]();
  }

  #onEvent(event: EngineEvent): void {
    if (event.type !== "lifecycle") return;
    const name = instanceOf(event.metadata.source);
    if (!name || this.#options.isHidden(name)) return;
    const { action } = event.metadata;
    if (action === "instance-started" || action === "instance-restarted")
      this.#enqueue(() => this.#started(name));
    if (action === "instance-stopped" || action === "instance-shutdown")
      this.#enqueue(() => this.#stopped(name));
  }

  #reconcileLater(engine: Engine): void {
    this.#enqueue(() => follow(observed.round, { watcher: "stops" }, () => this.#reconcile(engine)));
  }

  async #reconcile(engine: Engine): Promise<void> {
    const known = [...(await this.#known())];
    const instances = await engine.instances.list({ signal: this.#shutdown.signal });
    const running = new Set(
      instances.filter(({ status_code }) => status_code === instanceStatus.running).map(({ name }) => name),
    );
    for (const name of running) if (!this.#options.isHidden(name)) await this.#started(name);
    for (const name of known) if (!running.has(name)) await this.#stopped(name);
  }

  async #started(name: string): Promise<void> {
    const known = await this.#known();
    if (known.has(name)) return;
    known.add(name);
    await this.#save();
  }

  async #stopped(name: string): Promise<void> {
    const known = await this.#known();
    if (!known.has(name)) return;
    await this.#options.report(name);
    known.delete(name);
    await this.#save();
  }

  /** Handles events one at a time, in their order. */
  #enqueue(next: () => Promise<void>): void {
    this.#work = this.#work.then(next).catch((error) => {
      if (this.#shutdown.signal.aborted) return;
      this.#options.log.error({ error }, "cannot report that a container stopped");
    });
  }

  /** The containers that ran last. Throws while the record cannot be read, so that it is not overwritten. */
  async #known(): Promise<Set<string>> {
    this.#running ??= await this.#load();
    return this.#running;
  }

  async #load(): Promise<Set<string>> {
    return new Set(await this.#file.readOrSetAside(this.#options.log));
  }

  /** Retries until the record is written: an outdated one would make the next daemon report a stop twice. */
  async #save(): Promise<void> {
    if (!(await this.#write())) this.#saveRetries.trigger();
  }

  async #write(): Promise<boolean> {
    const { file, log } = this.#options;
    try {
      await this.#file.write([...(this.#running ?? [])]);
      return true;
    } catch (error) {
      log.warn({ error, file }, "cannot write the record of running containers; retrying");
      return false;
    }
  }
}

import { rename } from "node:fs/promises";
import * as z from "zod";
import type { Clock } from "../../base/async/clock.ts";
import { Reconciler } from "../../base/async/reconciler.ts";
import { replaceFile } from "../../base/files/durable-file.ts";
import { textOfFile } from "../../base/files/text-of-file.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { EngineEvent } from "../../engine/events/engine-event.ts";
import { instanceOf } from "../../engine/operations/operation.ts";
import { instanceStatus } from "../../engine/resources/instance.ts";

const schema = z.array(z.string());

/** A record that could not be written is written again after so long: at first, and at most. Milliseconds. */
const AGAIN = [500, 30_000] as const;

interface Options {
  /** Where it is kept which containers ran, so that a stop while no daemon was there is told too. */
  readonly file: string;
  /** Containers that nobody outside hears of. */
  readonly isHidden: (name: string) => boolean;
  /** Tells the host that a container has stopped. */
  readonly tell: (name: string) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Tells each stop of a container exactly once, whoever caused it (behaviour.md 7.2, 12 items 11, 16). An
 * engine may say a stop twice or, while its event stream is broken, not at all: so what counts is the step
 * from running to not running, by events and by looking.
 */
export class ContainerStopWatcher implements AsyncDisposable {
  readonly #options: Options;
  readonly #ending = new AbortController();
  readonly #unwritten: Reconciler;
  #running: Set<string> | undefined;
  #work: Promise<void> = Promise.resolve();
  #subscription: Disposable | undefined;

  constructor(options: Options) {
    this.#options = options;
    const look = (): Promise<boolean> => this.#write();
    this.#unwritten = new Reconciler({ look, gather: 0, again: AGAIN, clock: options.clock });
  }

  /** Watches an engine, starting with what it did while nobody watched. */
  async watch(engine: Engine): Promise<void> {
    const interest = {
      types: ["lifecycle"] as const,
      reconnected: () => this.#then(() => this.#look(engine)),
    };
    this.#subscription?.[Symbol.dispose]();
    const subscription = engine.events.subscribe(interest, (event) => this.#hear(event));
    this.#subscription = subscription;
    await subscription.ready;
    this.#then(() => this.#look(engine));
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    this.#ending.abort(new TremplinError("cancelled", "the daemon ends"));
    await this.#work;
    await this.#unwritten[Symbol.asyncDispose]();
  }

  #hear(event: EngineEvent): void {
    if (event.type !== "lifecycle") return;
    const name = instanceOf(event.metadata.source);
    if (!name || this.#options.isHidden(name)) return;
    const { action } = event.metadata;
    if (action === "instance-started" || action === "instance-restarted")
      this.#then(() => this.#started(name));
    if (action === "instance-stopped" || action === "instance-shutdown")
      this.#then(() => this.#stopped(name));
  }

  async #look(engine: Engine): Promise<void> {
    const known = [...(await this.#known())];
    const instances = await engine.instances.list({ signal: this.#ending.signal });
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
    await this.#remember();
  }

  async #stopped(name: string): Promise<void> {
    const known = await this.#known();
    if (!known.has(name)) return;
    await this.#options.tell(name);
    known.delete(name);
    await this.#remember();
  }

  /** One thing after the other, in the order of the events. */
  #then(next: () => Promise<void>): void {
    this.#work = this.#work.then(next).catch((error) => {
      if (this.#ending.signal.aborted) return;
      this.#options.log.error({ error }, "watching for stopped containers: this one could not be told");
    });
  }

  /** Which ran by what is known so far. Throws while that cannot be read, so that it is not overwritten either. */
  async #known(): Promise<Set<string>> {
    this.#running ??= await this.#recall();
    return this.#running;
  }

  async #recall(): Promise<Set<string>> {
    const { file, log } = this.#options;
    const text = await textOfFile(file);
    if (text === undefined) return new Set();
    try {
      return new Set(schema.parse(JSON.parse(text)));
    } catch (error) {
      log.error({ error, file }, "which containers ran cannot be understood; the file is set aside");
      await rename(file, `${file}.unreadable`);
      return new Set();
    }
  }

  /** A record that stays old would have the next daemon tell stops that were told: so it is written once it can be. */
  async #remember(): Promise<void> {
    if (!(await this.#write())) this.#unwritten.ask();
  }

  async #write(): Promise<boolean> {
    const { file, log } = this.#options;
    try {
      await replaceFile(file, JSON.stringify([...(this.#running ?? [])]));
      return true;
    } catch (error) {
      log.warn({ error, file }, "which containers run is not written down yet");
      return false;
    }
  }
}

export type { ReceivedMessage } from "./operation-bench/recording-listener.ts";

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { TremplinError } from "../../src/base/tremplin-error.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { ContainerActions } from "./container-actions.ts";
import { MemoryEngine } from "./memory-engine/memory-engine.ts";
import { tinyImageBytes } from "./memory-engine/tiny-image-bytes.ts";
import { BenchDaemon, type KindName, type Kinds } from "./operation-bench/bench-daemon.ts";
import { type ReceivedMessage, RecordingListener } from "./operation-bench/recording-listener.ts";

/** In memory where there is such a place: a journal syncs each of its writes, which takes a disk most of a test. */
const fastFolder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

type RequestOf<K extends KindName> = MessageInitShape<Kinds[K]["request"]>;

/** The notices of one operation, as the host received them. */
export interface Outcome {
  readonly progress: readonly ReceivedMessage[];
  readonly final: ReceivedMessage;
}

/**
 * Runs operations of all kinds by the real runner, journal and notice queue, with an engine in memory and a host that
 * records. Its daemon can be killed at any instant; the next one works in the same folder.
 */
export class OperationBench implements AsyncDisposable {
  readonly engine: MemoryEngine;
  /** A person's client of the engine. */
  readonly client: Engine;
  readonly actions: ContainerActions;
  readonly host: RecordingListener;
  readonly #folder: string;
  #daemon: BenchDaemon;

  private constructor(
    folder: string,
    engine: MemoryEngine,
    client: Engine,
    daemon: BenchDaemon,
    host: RecordingListener,
  ) {
    this.#folder = folder;
    this.engine = engine;
    this.client = client;
    this.actions = new ContainerActions(client, engine.addImage(tinyImageBytes()));
    this.#daemon = daemon;
    this.host = host;
  }

  static async open(): Promise<OperationBench> {
    const folder = await mkdtemp(join(fastFolder, "operations-"));
    await mkdir(join(folder, "shared"));
    const engine = await MemoryEngine.open();
    const host = new RecordingListener();
    const daemon = await BenchDaemon.open(folder, engine, host);
    return new OperationBench(folder, engine, await engine.connect(), daemon, host);
  }

  /** The folder that host and guest share. */
  get shared(): string {
    return join(this.#folder, "shared");
  }

  get state(): string {
    return join(this.#folder, "state");
  }

  /** The daemon of now. */
  get daemon(): BenchDaemon {
    return this.#daemon;
  }

  /** Begins an operation; gives its id. */
  async begin<K extends KindName>(kind: K, request: RequestOf<K>): Promise<string> {
    return await this.#daemon.begin(kind, request);
  }

  /** Begins an operation and waits for its end. */
  async run<K extends KindName>(kind: K, request: RequestOf<K>): Promise<Outcome> {
    return await this.outcome(await this.begin(kind, request));
  }

  /** Cancels the operation on a container. */
  cancel(kind: KindName, container = "c1"): void {
    this.#daemon.runner.cancel(kind, container, new TremplinError("cancelled", "enough"));
  }

  /** The notices of an operation, once it has ended and its journal entry is gone, or only owes something. */
  async outcome(id: string): Promise<Outcome> {
    const final = await this.host.final(id);
    await until(async () => !(await this.#entries()).some((entry) => entry.id === id && !entry.owed));
    const finals = this.host.finals(id);
    if (finals.length !== 1)
      throw new Error(`the host received ${finals.length} final notices of one operation`);
    return { progress: this.host.progress(id), final };
  }

  /** The debts of all operations, from the journal. */
  async owed(): Promise<(string | undefined)[]> {
    return (await this.#entries()).map(({ owed }) => owed);
  }

  /** The steps that the journal has of an operation. */
  async steps(id: string): Promise<string[]> {
    const entry = (await this.#entries()).find((each) => each.id === id);
    return Object.keys(entry?.steps ?? {});
  }

  /** The daemon is gone at once: nothing of it reaches journal, engine or host any more. */
  async kill(): Promise<void> {
    await this.#daemon.kill();
  }

  /** The next daemon; it has recovered what was left when this resolves. */
  async restart(): Promise<void> {
    await this.#daemon.kill();
    this.#daemon = await BenchDaemon.open(this.#folder, this.engine, this.host);
    await this.#daemon.recover();
  }

  /** As if the daemon died: the operation begins, and the daemon is killed as soon as it has written this step. */
  async beginUntilStep<K extends KindName>(kind: K, step: string, request: RequestOf<K>): Promise<string> {
    const killed = this.#daemon.killAtStep(step);
    const id = await this.begin(kind, request);
    await killed;
    return id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.kill();
    await this.client[Symbol.asyncDispose]();
    await this.engine[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }

  async #entries(): Promise<{ id: string; owed?: string; steps: Record<string, string> }[]> {
    const folder = join(this.state, "journal");
    const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
    // The host may take a notice meanwhile.
    const texts = await Promise.all(
      names.map((name) => readFile(join(folder, name), "utf8").catch(() => "")),
    );
    return texts.filter((text) => text !== "").map((text) => JSON.parse(text));
  }
}

/** Milliseconds after which a test will not see what it looks for any more. */
const LIMIT = 20_000;

/** Lets everything else of this program go on, again and again, until something is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + LIMIT; !(await isSo()); await nextTurn()) {
    if (Date.now() > end) throw new Error(`it did not come to that within ${LIMIT / 1000} s: ${isSo}`);
  }
}

/** Lets everything else of this program go on. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

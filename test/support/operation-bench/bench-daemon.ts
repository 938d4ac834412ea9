import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { abortable } from "../../../src/base/async/abortable.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import { TremplinError } from "../../../src/base/tremplin-error.ts";
import { FinalNotices } from "../../../src/daemon/notices/final-notices.ts";
import { Journal } from "../../../src/daemon/notices/journal.ts";
import { notice } from "../../../src/daemon/notices/notice.ts";
import { NoticeQueue } from "../../../src/daemon/notices/notice-queue.ts";
import { RejectedNotices } from "../../../src/daemon/notices/rejected-notices.ts";
import { type OperationKinds, operationKinds } from "../../../src/daemon/operations/kinds.ts";
import type { OperationDeps } from "../../../src/daemon/operations/operation-deps.ts";
import type { OperationKind } from "../../../src/daemon/operations/runner/operation.ts";
import { Runner } from "../../../src/daemon/operations/runner/runner.ts";
import { UploadedImages } from "../../../src/daemon/operations/uploaded-images.ts";
import { generic } from "../../../src/daemon/sites/generic.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import { ManualClock } from "../manual-clock.ts";
import type { MemoryEngine } from "../memory-engine/memory-engine.ts";
import { JournalUntilStep } from "./journal-until-step.ts";
import type { RecordingListener } from "./recording-listener.ts";

/** The kinds of operation on containers. */
export type Kinds = Omit<OperationKinds, "startLxd">;
export type KindName = keyof Kinds;

interface Parts {
  readonly runner: Runner;
  readonly kinds: Kinds;
  readonly journal: JournalUntilStep;
  readonly finals: FinalNotices;
  readonly queue: NoticeQueue;
  readonly engine: Engine;
  readonly clock: ManualClock;
  /** Aborts when the daemon ends. */
  readonly over: AbortController;
}

/** The parts of a daemon that run operations, wired as the daemon wires them, under a host that has just come. */
export class BenchDaemon {
  readonly #parts: Parts;
  #killed: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static async open(folder: string, memory: MemoryEngine, host: RecordingListener): Promise<BenchDaemon> {
    const log = silentLogger;
    const clock = new BenchClock();
    const over = new AbortController();
    const queue = new NoticeQueue({
      deliver: async (sent, id, _signal, operation) =>
        over.signal.aborted ? { kind: "unreachable", reason: "killed" } : host.deliver(sent, id, operation),
      clock,
      log,
    });
    const journal = new JournalUntilStep(await Journal.open(join(folder, "state/journal"), log));
    const common = { journal: journal.asJournal, queue, clock, log };
    const rejected = await RejectedNotices.open({ ...common, folder: join(folder, "state/refused") });
    const finals = new FinalNotices({ ...common, rejected });
    const engineAnswers = (signal: AbortSignal) => abortable(memory.alive, signal).then(() => true);
    const engine = await memory.connect();
    const runner = new Runner({ ...common, finals, engineAnswers });
    const kinds = operationKinds({
      supervisor: { answers: engineAnswers } as OperationDeps["supervisor"],
      engine: { forRecovery: () => engine },
      uploads: new UploadedImages(),
      beforeBoot: async () => undefined,
      site: generic,
      places: { state: join(folder, "state"), shared: join(folder, "shared") },
      milestone: undefined,
      shutdownSignal: over.signal,
      clock,
      log,
    });
    for (const kind of Object.values<OperationKind>(kinds)) runner.add(kind);
    await queue.open({ id: "ready", orderingKey: "", notice: notice("tremplinReady", {}), final: true });
    return new BenchDaemon({ runner, kinds, journal, finals, queue, engine, clock, over });
  }

  /** Moved by the test, all but the time of day. */
  get clock(): ManualClock {
    return this.#parts.clock;
  }

  get runner(): Runner {
    return this.#parts.runner;
  }

  /** The steps that its operations wrote, in their order. */
  get steps(): readonly string[] {
    return this.#parts.journal.steps;
  }

  async begin<K extends KindName>(name: K, init: MessageInitShape<Kinds[K]["request"]>): Promise<string> {
    const { kinds, runner } = this.#parts;
    const kind = kinds[name] as unknown as OperationKind;
    const request = create(kind.request, init as never);
    const { containerName } = request as unknown as { containerName: string };
    return (await runner.begin(kind, containerName, request)).id;
  }

  /** Resolves once it was killed right behind this step. */
  killAtStep(step: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#parts.journal.endAt(step, () => resolve(this.kill()));
    return promise;
  }

  /** Does what a daemon does for what an earlier one left, before its engine counts as running. */
  async recover(): Promise<void> {
    const { journal, finals, runner } = this.#parts;
    const left = await journal.entries();
    await finals.resend(left);
    await runner.recover(left);
  }

  /** Nothing of it reaches journal, engine or host any more. */
  kill(): Promise<void> {
    this.#killed ??= this.#end();
    return this.#killed;
  }

  async #end(): Promise<void> {
    const { journal, over, runner, engine, queue, clock } = this.#parts;
    journal.close();
    over.abort(new TremplinError("cancelled", "the daemon was killed"));
    let hasEnded = false;
    const ended = runner[Symbol.asyncDispose]().finally(() => {
      hasEnded = true;
    });
    await engine[Symbol.asyncDispose]();
    // Some give a host that does not answer a little time: they are gone too.
    while (!hasEnded) {
      clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await ended;
    await queue[Symbol.asyncDispose]();
  }
}

/** Waits end when the test says so; the time of day goes on, because engines write times too. */
class BenchClock extends ManualClock {
  override now(): number {
    return Date.now();
  }
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { generic } from "../sites/generic.ts";
import type { EngineProvider } from "./engine-provider.ts";
import type { EngineState, LaunchProgress, PreparedEngine, ResetRequest } from "./engine-state.ts";
import type { EngineEvent } from "./process/engine-process.ts";
import { Supervisor } from "./supervisor.ts";

const death = new TremplinError("unavailable", "the socket is closed");
const noReset: ResetRequest = { onBegun: async () => undefined };

/** A client of no engine, which knows whether it was disposed. */
function fakeEngine() {
  const engine = {
    address: { kind: "unix", path: "/nowhere/unix.socket" },
    isDisposed: false,
    async [Symbol.asyncDispose]() {
      engine.isDisposed = true;
    },
  };
  return engine as typeof engine & Engine;
}

interface ProvideCall {
  readonly reset: ResetRequest | undefined;
  readonly report: (progress: LaunchProgress) => void;
  readonly resolve: (prepared: PreparedEngine) => void;
  readonly reject: (error: Error) => void;
}

/** Launches as the test says. */
class FakeProvider implements EngineProvider {
  readonly isManaged = true;
  readonly #lost = new AbortController();
  readonly #calls: ProvideCall[] = [];
  #awaited = Promise.withResolvers<void>();
  gaveUpError: TremplinError | undefined;
  emit: (event: EngineEvent) => void = () => undefined;

  get launchSignal(): AbortSignal {
    return this.#lost.signal;
  }

  get lostSignal(): AbortSignal {
    return this.#lost.signal;
  }

  listen(listener: (event: EngineEvent) => void): void {
    this.emit = listener;
  }

  async isRunning(): Promise<boolean> {
    return false;
  }

  provide(reset: ResetRequest | undefined, report: ProvideCall["report"]): Promise<PreparedEngine> {
    const { promise, resolve, reject } = Promise.withResolvers<PreparedEngine>();
    this.#calls.push({ reset, report, resolve, reject });
    this.#awaited.resolve();
    return promise;
  }

  /** The next call of `provide`. */
  async next(): Promise<ProvideCall> {
    await this.#awaited.promise;
    const call = this.#calls.shift();
    assert.ok(call);
    if (this.#calls.length === 0) this.#awaited = Promise.withResolvers();
    return call;
  }

  async shutDown(): Promise<void> {}

  detach(): void {
    this.#lost.abort(new TremplinError("cancelled", "the daemon ends"));
  }
}

function setUp(onReady: (engine: Engine) => Promise<void> = async () => undefined) {
  const provider = new FakeProvider();
  const supervisor = new Supervisor(
    {
      choice: { how: "launch", kind: undefined },
      stateFolder: "/nowhere",
      bridgeName: "none",
      subnet: undefined,
      site: generic,
      places: {},
      clock: new ManualClock(),
      log: silentLogger,
      onReady,
      beforeStart: async () => undefined,
      failed: () => undefined,
    },
    provider,
  );
  return { supervisor, provider };
}

async function launched() {
  const place = setUp();
  const { outcome } = place.supervisor.launch();
  const engine = fakeEngine();
  (await place.provider.next()).resolve({ engine, remark: "" });
  await outcome;
  return { ...place, engine };
}

/** The status, and the step where it has one. */
function phaseOf(state: EngineState): string {
  return "step" in state ? `${state.status}: ${state.step}` : state.status;
}

test("stopped, starting, recovering, running: only recovery may use the engine before it runs", async () => {
  const recovery = Promise.withResolvers<void>();
  const { supervisor, provider } = setUp(() => recovery.promise);
  assert.equal(phaseOf(supervisor.state), "stopped");
  assert.throws(() => supervisor.engine, /^TremplinError: LXD not running: call StartLxd first$/);
  const launch = supervisor.launch();
  assert.equal(phaseOf(supervisor.state), "starting: launching");
  assert.equal(supervisor.launch(), launch);
  const { report, resolve } = await provider.next();
  report({ status: "starting", step: "preparing" });
  assert.equal(phaseOf(supervisor.state), "starting: preparing");
  assert.throws(() => supervisor.engineForRecovery, /LXD not running: it is starting; wait for its STARTED$/);
  const engine = fakeEngine();
  resolve({ engine, remark: "a remark" });
  await supervisor.when((state) => state.status === "recovering" || undefined, new AbortController().signal);
  assert.equal(supervisor.engineForRecovery, engine);
  assert.throws(() => supervisor.engine, /LXD not running: it is starting/);
  recovery.resolve();
  assert.deepEqual(await launch.outcome, { engine, remark: "a remark" });
  assert.equal(phaseOf(supervisor.state), "running");
  assert.equal(supervisor.engine, engine);
  assert.deepEqual(await supervisor.launch().outcome, { engine, remark: "" });
});

test("starting to failed, and from there to another launch", async () => {
  const { supervisor, provider } = setUp();
  const { outcome } = supervisor.launch();
  (await provider.next()).reject(new TremplinError("unavailable", "no engine is installed"));
  await assert.rejects(outcome, /no engine is installed/);
  assert.equal(phaseOf(supervisor.state), "failed");
  assert.throws(() => supervisor.engine, /LXD not running: launching it failed: no engine is installed$/);
  const again = supervisor.launch();
  assert.equal(phaseOf(supervisor.state), "starting: launching");
  (await provider.next()).resolve({ engine: fakeEngine(), remark: "" });
  await again.outcome;
});

test("a launch can reset the database, and its reason stays until it ends", async () => {
  const { supervisor, provider } = setUp();
  const { outcome } = supervisor.launch();
  const { signal } = new AbortController();
  const reason = supervisor.when((state) => ("reason" in state ? state.reason : undefined), signal);
  const { report, resolve } = await provider.next();
  report({ status: "resetting", step: "saving", reason: "the database is broken" });
  assert.equal(await reason, "the database is broken");
  for (const step of ["moving", "recovering", "discarding", "restoring"] as const) {
    report({ status: "resetting", step });
    assert.equal(phaseOf(supervisor.state), `resetting: ${step}`);
  }
  report({ status: "starting", step: "preparing" });
  assert.equal("reason" in supervisor.state && supervisor.state.reason, "the database is broken");
  resolve({ engine: fakeEngine(), remark: "" });
  await outcome;
  assert.equal(phaseOf(supervisor.state), "running");
});

test("a reset can fail", async () => {
  const { supervisor, provider } = setUp();
  const { outcome } = supervisor.launch(noReset);
  const { report, reject } = await provider.next();
  report({ status: "resetting", step: "restoring" });
  reject(new Error("the disk is full"));
  await assert.rejects(outcome, /the disk is full/);
  assert.equal(phaseOf(supervisor.state), "failed");
});

test("running to restarting and back, while the engine that crashed is started again", async () => {
  const { supervisor, provider, engine } = await launched();
  provider.emit({ kind: "ready" });
  assert.equal(phaseOf(supervisor.state), "running");
  provider.emit({ kind: "crashed", wasReady: true });
  provider.emit({ kind: "crashed", wasReady: false });
  assert.equal(phaseOf(supervisor.state), "restarting");
  assert.equal(supervisor.engine, engine);
  assert.deepEqual(await supervisor.launch().outcome, { engine, remark: "" });
  provider.emit({ kind: "ready" });
  assert.equal(phaseOf(supervisor.state), "running");
});

test("an engine that crashed too often has failed, and the next launch replaces its client", async () => {
  for (const isRestarting of [true, false]) {
    const { supervisor, provider, engine } = await launched();
    if (isRestarting) provider.emit({ kind: "crashed", wasReady: true });
    provider.emit({ kind: "gave-up", error: new TremplinError("failed", "it died 11 times") });
    assert.equal(phaseOf(supervisor.state), "failed");
    assert.throws(() => supervisor.engine, /launching it failed: it died 11 times$/);
    assert.equal(await supervisor.answers(new AbortController().signal), false);
    assert.equal(engine.isDisposed, false);
    const { outcome } = supervisor.launch();
    (await provider.next()).resolve({ engine: fakeEngine(), remark: "" });
    await outcome;
    assert.equal(engine.isDisposed, true);
  }
});

test("an engine that is lost as its launch ends has failed; events before that are the launch's own", async () => {
  const { supervisor, provider } = setUp();
  const { outcome } = supervisor.launch();
  const { resolve } = await provider.next();
  const error = new TremplinError("failed", "it died 11 times");
  for (const event of [{ kind: "crashed", wasReady: true } as const, { kind: "gave-up", error } as const]) {
    provider.emit(event);
    assert.equal(phaseOf(supervisor.state), "starting: launching");
  }
  provider.gaveUpError = error;
  resolve({ engine: fakeEngine(), remark: "" });
  await outcome;
  assert.equal(phaseOf(supervisor.state), "failed");
});

test("an engine that dies under recovery is launched again without the reset, three times at most", async () => {
  const { supervisor, provider } = setUp(() => Promise.reject(death));
  const { outcome } = supervisor.launch(noReset);
  const engines = [fakeEngine(), fakeEngine(), fakeEngine()];
  const phases: string[] = [];
  for (const [index, engine] of engines.entries()) {
    const { reset, resolve } = await provider.next();
    phases.push(phaseOf(supervisor.state));
    assert.equal(reset, index === 0 ? noReset : undefined);
    resolve({ engine, remark: "" });
  }
  await assert.rejects(outcome, /the socket is closed/);
  assert.deepEqual(phases, Array(3).fill("starting: launching"));
  assert.ok(engines.every(({ isDisposed }) => isDisposed));
  assert.equal(phaseOf(supervisor.state), "failed");
});

test("another error of recovery is final, as is the death of an engine while it is launched", async () => {
  const { supervisor, provider } = setUp(() => Promise.reject(new Error("the journal is damaged")));
  const { outcome } = supervisor.launch();
  (await provider.next()).resolve({ engine: fakeEngine(), remark: "" });
  await assert.rejects(outcome, /the journal is damaged/);
  const again = supervisor.launch();
  (await provider.next()).reject(death);
  await assert.rejects(again.outcome, /the socket is closed/);
});

test("a reset of a running engine replaces its client; the same reset is shared", async () => {
  const { supervisor, provider, engine } = await launched();
  const launch = supervisor.launch(noReset);
  assert.equal(supervisor.launch(noReset), launch);
  assert.equal(supervisor.launch(), launch);
  assert.equal(phaseOf(supervisor.state), "starting: launching");
  const { reset, resolve } = await provider.next();
  assert.equal(reset, noReset);
  assert.equal(engine.isDisposed, true);
  const other = fakeEngine();
  resolve({ engine: other, remark: "" });
  await launch.outcome;
  assert.equal(supervisor.engine, other);
});

test("a reset waits for a launch without one, whose state is shown meanwhile without its reason", async () => {
  const recovery = Promise.withResolvers<void>();
  const { supervisor, provider } = setUp(() => recovery.promise);
  const first = supervisor.launch();
  const { report, resolve } = await provider.next();
  report({ status: "resetting", step: "saving", reason: "the database is broken" });
  const second = supervisor.launch(noReset);
  assert.notEqual(second, first);
  assert.equal(phaseOf(supervisor.state), "resetting: saving");
  report({ status: "resetting", step: "moving", reason: "the database is broken" });
  assert.deepEqual(supervisor.state, {
    ...{ status: "resetting", step: "moving", launch: second, reason: undefined },
  });
  const engine = fakeEngine();
  resolve({ engine, remark: "" });
  await supervisor.when((state) => state.status === "recovering" || undefined, new AbortController().signal);
  assert.equal(supervisor.engineForRecovery, engine);
  recovery.resolve();
  assert.deepEqual(await first.outcome, { engine, remark: "" });
  const { reset, resolve: resolveSecond } = await provider.next();
  assert.equal(reset, noReset);
  assert.equal(phaseOf(supervisor.state), "starting: launching");
  assert.equal(engine.isDisposed, true);
  resolveSecond({ engine: fakeEngine(), remark: "" });
  await second.outcome;
  assert.equal(phaseOf(supervisor.state), "running");
});

test("a reset that waits also follows a launch that failed", async () => {
  const { supervisor, provider } = setUp();
  const first = supervisor.launch();
  const call = await provider.next();
  const second = supervisor.launch(noReset);
  call.reject(new Error("no engine is installed"));
  await assert.rejects(first.outcome, /no engine is installed/);
  const { resolve } = await provider.next();
  assert.equal(phaseOf(supervisor.state), "starting: launching");
  resolve({ engine: fakeEngine(), remark: "" });
  await second.outcome;
});

test("dispose ends a launch under way and the wait for an engine", async () => {
  const { supervisor, provider } = setUp(() => new Promise(() => undefined));
  const { outcome } = supervisor.launch();
  const engine = fakeEngine();
  (await provider.next()).resolve({ engine, remark: "" });
  const { signal } = new AbortController();
  await supervisor.when((state) => state.status === "recovering" || undefined, signal);
  const answers = supervisor.answers(signal);
  await supervisor[Symbol.asyncDispose]();
  await assert.rejects(outcome, /the daemon ends/);
  assert.equal(await answers, false);
  assert.equal(engine.isDisposed, true);
});

test("dispose detaches from a running engine", async () => {
  const { supervisor, engine } = await launched();
  await supervisor[Symbol.asyncDispose]();
  assert.equal(engine.isDisposed, true);
});

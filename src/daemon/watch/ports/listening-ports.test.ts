import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { FakePorts } from "../../../../test/support/fake-ports.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { silentLogger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { EngineEvent } from "../../../engine/events/engine-event.ts";
import type { EventInterest } from "../../../engine/events/event-stream.ts";
import type { Notice } from "../../notices/notice.ts";
import { NoticeQueue } from "../../notices/notice-queue.ts";
import { ListeningPorts } from "./listening-ports.ts";

interface Running {
  readonly source: FakePorts;
  readonly type?: string;
  readonly location?: string;
}

/** An engine in memory that sends an event when a container is started. */
class FakeEngine {
  readonly running = new Map<string, Running>();
  readonly address: { kind: string } = { kind: "unix" };
  readonly info = { clustered: false, serverName: "here" };
  /** Thrown by every question while it is set. */
  error: TremplinError | undefined;
  #interest: EventInterest | undefined;
  #listener: ((event: EngineEvent) => void) | undefined;

  readonly instances = {
    list: async () => {
      if (this.error) throw this.error;
      return [...this.running.keys()].map((name) => this.#instance(name));
    },
    get: async (name: string) => {
      if (this.error) throw this.error;
      if (!this.running.has(name)) throw new TremplinError("not-found", "no such container");
      return { value: this.#instance(name) };
    },
  };

  readonly events = {
    subscribe: (interest: EventInterest, listener: (event: EngineEvent) => void) => {
      this.#interest = interest;
      this.#listener = listener;
      return { ready: Promise.resolve(), [Symbol.dispose]: () => undefined };
    },
  };

  start(name: string, running: Running): void {
    this.running.set(name, running);
    const metadata = { action: "instance-started", source: `/1.0/instances/${name}` };
    this.#listener?.({ type: "lifecycle", timestamp: "", metadata });
  }

  reconnect(): void {
    this.#interest?.reconnected?.();
  }

  #instance(name: string) {
    const { type = "container", location = "none" } = this.running.get(name) as Running;
    return { name, type, location, status_code: 103 };
  }
}

function setUp(t: TestContext, engine = new FakeEngine()) {
  const clock = new ManualClock();
  const reported: Record<string, number[]>[] = [];
  const host = { isAway: false };
  const deliver = async ({ message }: Notice) => {
    if (host.isAway) return { kind: "unreachable", reason: "nobody there" } as const;
    if (!("containerPorts" in message)) return { kind: "acknowledged" } as const;
    const each = Object.entries(message.containerPorts).map(([name, { listeningTcp4Ports }]) => {
      return [name, [...listeningTcp4Ports]];
    });
    reported.push(Object.fromEntries(each));
    return { kind: "acknowledged" } as const;
  };
  const queue = new NoticeQueue({ deliver, clock, log: silentLogger });
  const ports = new ListeningPorts({
    queue,
    isHidden: (name) => name.startsWith("tremplin-create-"),
    async open(_, name) {
      return engine.running.get(name)?.source;
    },
    clock,
    log: silentLogger,
  });
  t.after(async () => {
    await ports[Symbol.asyncDispose]();
    await queue[Symbol.asyncDispose]();
  });
  // Only what is asked of it here.
  ports.watch(engine as unknown as Engine);
  const ready = queue.open({
    id: "ready",
    orderingKey: "",
    notice: { method: "tremplinReady", message: {} as never },
    final: true,
  });
  /** Advances the clock and returns what was reported meanwhile. */
  const pass = async (milliseconds: number): Promise<Record<string, number[]>[]> => {
    await ready;
    const before = reported.length;
    for (let passed = 0; passed < milliseconds; passed += 100) {
      for (let turn = 0; turn < 20; turn++) await setImmediate();
      clock.advance(100);
    }
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    return reported.slice(before);
  };
  return { engine, ports, host, pass };
}

test("running containers and newly started ones are reported", async (t) => {
  const engine = new FakeEngine();
  engine.running.set("web", { source: new FakePorts(80) });
  const { pass } = setUp(t, engine);
  assert.deepEqual(await pass(600), [{ web: [80] }]);
  engine.start("db", { source: new FakePorts() });
  assert.deepEqual(await pass(600), [{ web: [80], db: [] }]);
});

test("temporary containers and virtual machines are never reported", async (t) => {
  const engine = new FakeEngine();
  engine.running.set("tremplin-create-1", { source: new FakePorts(80) });
  engine.running.set("machine", { source: new FakePorts(81), type: "virtual-machine" });
  const { pass } = setUp(t, engine);
  engine.start("tremplin-create-2", { source: new FakePorts(82) });
  engine.start("other-machine", { source: new FakePorts(83), type: "virtual-machine" });
  engine.start("web", { source: new FakePorts(84) });
  assert.deepEqual(await pass(600), [{ web: [84] }]);
});

test("processes of another machine are not looked for here", async (t) => {
  const engine = new FakeEngine();
  engine.info.clustered = true;
  engine.running.set("here", { source: new FakePorts(80), location: "here" });
  engine.running.set("there", { source: new FakePorts(81), location: "there" });
  const { pass } = setUp(t, engine);
  assert.deepEqual(await pass(600), [{ here: [80] }]);
  const remote = new FakeEngine();
  remote.address.kind = "https";
  remote.running.set("web", { source: new FakePorts(80) });
  assert.deepEqual(await setUp(t, remote).pass(600), []);
});

test("everything is reported every minute, and after the event stream reconnects", async (t) => {
  const engine = new FakeEngine();
  engine.running.set("web", { source: new FakePorts(80) });
  const { pass } = setUp(t, engine);
  await pass(600);
  assert.deepEqual(await pass(57_000), []);
  assert.deepEqual(await pass(3_000), [{ web: [80] }]);
  engine.reconnect();
  assert.deepEqual(await pass(600), [{ web: [80] }]);
});

test("changes during a broken event stream are reported after it reconnects", async (t) => {
  const engine = new FakeEngine();
  const [gone, again] = [new FakePorts(80), new FakePorts(81)];
  engine.running.set("gone", { source: gone });
  engine.running.set("again", { source: again });
  const { pass } = setUp(t, engine);
  await pass(600);
  for (const source of [gone, again]) source.end();
  engine.running.clear();
  engine.running.set("again", { source: new FakePorts(82) });
  engine.running.set("fresh", { source: new FakePorts() });
  engine.reconnect();
  assert.deepEqual(await pass(600), [{ gone: [], again: [82], fresh: [] }]);
});

test("known ports are still reported while the engine fails, and it is asked again", async (t) => {
  const engine = new FakeEngine();
  engine.running.set("web", { source: new FakePorts(80) });
  const { pass } = setUp(t, engine);
  await pass(600);
  engine.error = new TremplinError("unavailable", "the engine is away");
  engine.start("db", { source: new FakePorts(22) });
  assert.deepEqual(await pass(600), []);
  assert.deepEqual(await pass(60_000), [{ web: [80] }]);
  engine.error = undefined;
  assert.deepEqual((await pass(60_000)).at(-1), { web: [80], db: [22] });
});

test("while the host is away the newest state waits, with all that it must clear", async (t) => {
  const engine = new FakeEngine();
  const [web, db] = [new FakePorts(80), new FakePorts(22)];
  engine.running.set("web", { source: web });
  engine.running.set("db", { source: db });
  const { pass, ports, host } = setUp(t, engine);
  await pass(600);
  host.isAway = true;
  web.end();
  engine.running.delete("web");
  ports.stopped("web");
  assert.deepEqual(await pass(2_000), []);
  db.listen(22, 23);
  assert.deepEqual(await pass(2_000), []);
  db.listen(22, 23, 24);
  assert.deepEqual(await pass(2_000), []);
  host.isAway = false;
  assert.deepEqual(await pass(5_000), [{ web: [], db: [22, 23, 24] }]);
});

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { eventually } from "../../test/support/eventually.ts";
import { RecordingListener } from "../../test/support/listener.ts";
import { systemClock } from "../base/async/clock.ts";
import { silentLogger } from "../base/logger.ts";
import { Engine_State, Guest } from "../contract/tremplin/v1/guest_pb.js";
import { CreateContainerResponse_Status, Tremplin } from "../contract/tremplin_pb.js";
import { dial } from "../transport/client.ts";
import { Daemon } from "./daemon.ts";
import { type DaemonOptions, daemonDefaults } from "./options.ts";

/** A state folder without an engine. */
async function place(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "daemon-"));
  const guest = { kind: "unix", path: join(folder, "guest.sock") } as const;
  const host = join(folder, "host.sock");
  const state = join(folder, "state");
  const connection = dial(guest);
  t.after(async () => {
    connection[Symbol.dispose]();
    await rm(folder, { recursive: true });
  });
  const options: DaemonOptions = {
    ...daemonDefaults,
    listen: [guest],
    host: { kind: "unix", path: host },
    state,
    shared: join(state, "shared"),
    engine: `unix:${join(folder, "no-engine.sock")}`,
  };
  return {
    host,
    state,
    start: () => Daemon.start(options, { clock: systemClock, log: silentLogger }),
    guest: createClient(Guest, connection.transport),
    tremplin: createClient(Tremplin, connection.transport),
  };
}

test("a daemon without an engine answers, recovers nothing, and stops", async (t) => {
  const { host, state, start, guest, tremplin } = await place(t);
  await using listener = await RecordingListener.open(host);
  {
    await using _daemon = await start();
    await listener.when(({ kind }) => kind === "ready", "the ready notice");
    const status = await guest.getStatus({});
    assert.equal(status.engine?.state, Engine_State.STOPPED);
    assert.deepEqual(status.operations, []);
    const refused = await tremplin.createContainer({ containerName: "c1" });
    assert.equal(refused.status, CreateContainerResponse_Status.FAILED);
    assert.match(refused.failureReason, /^LXD not running: call StartLxd first/);
    for (const call of [guest.listContainers({}), guest.listOrphans({})]) {
      await assert.rejects(call, { code: Code.FailedPrecondition, rawMessage: refused.failureReason });
    }
  }
  assert.deepEqual(await readdir(join(state, "journal")), []);
  assert.deepEqual(
    listener.notices.map(({ kind }) => kind),
    ["ready"],
  );
  await using _next = await start();
  assert.equal((await guest.getStatus({})).engine?.state, Engine_State.STOPPED);
});

test("the status shows since when the host is unreachable, and the oldest notice", async (t) => {
  const { host, start, guest } = await place(t);
  await using _daemon = await start();
  const during = await eventually("an outage", async () => {
    const status = await guest.getStatus({});
    return status.hostAwaySince && status;
  });
  assert.equal(during.oldestNotice?.rpc, "TremplinReady");
  assert.equal(during.undeliveredNotices, 1);
  assert.notEqual(during.hostAwayReason, "");
  await using _listener = await RecordingListener.open(host);
  const after = await eventually("the end of the outage", async () => {
    const status = await guest.getStatus({});
    return status.hostAwaySince ? undefined : status;
  });
  assert.equal(after.oldestNotice, undefined);
});

test("an operation of an earlier daemon waits for the engine and keeps its entry", async (t) => {
  const { state, start, guest } = await place(t);
  const id = "0123456789abcdef";
  const entry = { id, kind: "create", container: "c1", startedAt: 1000, request: {}, steps: {} };
  await mkdir(join(state, "journal"), { recursive: true });
  await writeFile(join(state, "journal", `${id}.json`), JSON.stringify(entry));
  {
    await using _daemon = await start();
    const [operation] = (await guest.getStatus({})).operations;
    assert.deepEqual(
      [operation?.id, operation?.kind, operation?.containerName, operation?.waitsForRecovery],
      [id, "create", "c1", true],
    );
  }
  assert.deepEqual(await readdir(join(state, "journal")), [`${id}.json`]);
});

test("one state folder serves one daemon at a time", async (t) => {
  const { start } = await place(t);
  await using _daemon = await start();
  await assert.rejects(start(), { code: "busy", message: /another daemon works in/ });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { hasCode, hostFixture, recordedEvents } from "../../test/support/host-fixture.ts";
import { type Logger, silentLogger } from "../base/logger.ts";
import { Guest } from "../contract/tremplin/v1/guest_pb.js";
import { Host } from "../contract/tremplin/v1/host_pb.js";
import { Tremplin } from "../contract/tremplin_pb.js";
import { dial } from "../transport/client.ts";

test("a notice of each kind is recorded under the name of its guest", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  await guest.notify("tremplinReady", {});
  await guest.notify("updateStartLxdStatus", { status: 3 });
  for (const method of [
    "updateCreateStatus",
    "updateDeletionStatus",
    "updateStartStatus",
    "updateStopStatus",
    "updateExportStatus",
    "updateImportStatus",
    "containerShutdown",
    "upgradeContainerStatus",
  ] as const) {
    await guest.notify(method, { containerName: "penguin" });
  }
  await guest.notify("updateListeningPorts", { containerPorts: { penguin: { listeningTcp4Ports: [80] } } });
  assert.deepEqual(await recordedEvents(at), [
    "vm ready",
    "vm startLxd 3",
    ...["create", "delete", "start", "stop", "export", "import"].map((kind) => `vm ${kind} penguin 0`),
    "vm shutdown penguin",
    "vm upgrade penguin 0",
    "vm ports",
  ]);
});

test("a notice that breaks the contract is rejected, or recorded without its status", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const { metadata: headers } = await at.guest("vm");
  const listener = at.listener("vm");
  for (const method of [
    "updateCreateStatus",
    "updateDeletionStatus",
    "updateStartStatus",
    "updateStopStatus",
  ] as const) {
    await assert.rejects(
      listener[method]({}, { headers }),
      hasCode(Code.FailedPrecondition, /no container_name/),
    );
  }
  await assert.rejects(
    listener.containerShutdown({}, { headers }),
    hasCode(Code.InvalidArgument, /no container_name/),
  );
  const { containerShutdown, updateStartStatus } = listener;
  await assert.rejects(
    containerShutdown({ containerName: "x".repeat(256) }, { headers }),
    hasCode(Code.InvalidArgument, /container_name of more than 255 bytes/),
  );
  await assert.rejects(
    updateStartStatus(
      { containerName: "x" },
      { headers: { ...headers, "tremplin-notice": "x".repeat(129) } },
    ),
    hasCode(Code.InvalidArgument, /tremplin-notice has more than 128 characters/),
  );
  const strange = { containerName: "penguin", status: Number(77) };
  for (const method of [
    "updateStartLxdStatus",
    "updateExportStatus",
    "updateImportStatus",
    "upgradeContainerStatus",
  ] as const) {
    await assert.rejects(
      listener[method](strange as never, { headers }),
      hasCode(Code.FailedPrecondition, /unknown status 77/),
    );
  }
  assert.deepEqual(await recordedEvents(at), []);
  await listener.updateCreateStatus(strange, { headers });
  assert.deepEqual(await recordedEvents(at), ["vm create penguin 0"]);
});

test("a notice that is sent again is recorded once, also after a restart of the host", async (t) => {
  const at = await hostFixture(t);
  const first = await at.host("vm");
  const guest = await at.guest("vm");
  const headers = { ...guest.metadata, "tremplin-notice": "one" };
  const send = () => at.listener("vm").containerShutdown({ containerName: "penguin" }, { headers });
  await Promise.all([send(), send()]);
  await first[Symbol.asyncDispose]();
  await at.host("vm");
  await send();
  assert.deepEqual(await recordedEvents(at), ["vm shutdown penguin"]);
});

test("a guest is identified by its address, and only its own daemon may send there", async (t) => {
  const at = await hostFixture(t);
  await at.host("one", "two");
  const one = await at.guest("one");
  const ready = (guest: string, headers: Record<string, string>) =>
    at.listener(guest).tremplinReady({}, { headers });
  await ready("one", one.metadata);
  await assert.rejects(
    ready("two", { "tremplin-daemon": "stranger" }),
    hasCode(Code.Unavailable, /cannot confirm that guest two sent this while it is unreachable/),
  );
  const two = await at.guest("two");
  await ready("two", two.metadata);
  await assert.rejects(
    ready("two", one.metadata),
    hasCode(Code.FailedPrecondition, /not the id of the daemon/),
  );
  await assert.rejects(ready("one", {}), hasCode(Code.FailedPrecondition, /tremplin-daemon is missing/));
  assert.deepEqual(await recordedEvents(at), ["one ready", "two ready"]);
});

test("a daemon with another id is believed once it is the one that answers", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const first = await at.guest("vm");
  await at.listener("vm").tremplinReady({}, { headers: first.metadata });
  await first.close();
  await assert.rejects(
    at.listener("vm").tremplinReady({}),
    hasCode(Code.Unavailable, /while it is unreachable/),
  );
  const second = await at.guest("vm");
  await at.listener("vm").tremplinReady({}, { headers: second.metadata });
  await second.close();
  const original = await at.guest("vm", true);
  await at.listener("vm").tremplinReady({}, { headers: original.metadata });
  assert.equal((await recordedEvents(at)).length, 3);
});

test("a single guest needs no daemon id", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const guest = await at.guest("vm", true);
  await guest.notify("containerShutdown", { containerName: "penguin" });
  assert.deepEqual(await recordedEvents(at), ["vm shutdown penguin"]);
  const { guests } = await at.api(Host).listGuests({});
  assert.equal(guests[0]?.reachable, true);
});

test("operation ids reach the caller, the guest and the event log", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  guest.containers.set("penguin", "stopped");
  const gate = Promise.withResolvers<void>();
  guest.gate = gate.promise;
  const headers = new Headers();
  const onHeader = (answered: Headers) => answered.forEach((value, name) => void headers.set(name, value));
  await at.api(Tremplin).startContainer({ containerName: "penguin" }, { onHeader });
  const id = guest.operations[0]?.id ?? "";
  assert.equal(headers.get("tremplin-operation"), id);
  const cancel = (operation: string) =>
    at
      .api(Tremplin)
      .cancelExportContainer(
        { inProgressContainerName: "penguin" },
        { headers: { "tremplin-operation": operation } },
      );
  assert.equal((await cancel("another")).status, 2);
  assert.equal((await cancel(id)).status, 1);
  gate.resolve();

  const listener = at.listener("vm");
  const say = (operation: string | undefined) =>
    listener.containerShutdown(
      { containerName: "one" },
      { headers: { ...guest.metadata, ...(operation && { "tremplin-operation": operation }) } },
    );
  for (const operation of ["00112233445566aa", undefined, "with blanks in it", "x".repeat(65)])
    await say(operation);
  const events = await Array.fromAsync(at.api(Host).watch({ after: 0n, onlyLog: true }));
  assert.deepEqual(
    events.filter(({ notice }) => notice.case === "shutdown").map(({ operation }) => operation),
    ["00112233445566aa", "", "", ""],
  );
  assert.ok(
    events.filter(({ notice }) => notice.case === "start").every(({ operation }) => operation === id),
  );
});

test("in the log a call that is no notice is refused, and only a notice is not acknowledged", async (t) => {
  const lines: string[] = [];
  const warn = (_fields: object, message: string) => void lines.push(message);
  const at = await hostFixture(t, Object.assign(Object.create(silentLogger), { warn }) as Logger);
  await at.host("vm");
  const { metadata: headers } = await at.guest("vm");
  await assert.rejects(at.listener("vm").updateCreateStatus({}, { headers }));
  using connection = dial({ kind: "unix", path: join(at.folder, "listener-vm.sock") });
  await assert.rejects(createClient(Guest, connection.transport).getStatus({}));
  assert.deepEqual(lines, ["a notice was not acknowledged", "a call was refused"]);
});

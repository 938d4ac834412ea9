import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { eventText, hasCode, hostFixture } from "../../test/support/host-fixture.ts";
import { Host } from "../contract/tremplin/v1/host_pb.js";

test("a watch of one container has its events alone, also those that name several", async (t) => {
  const at = await hostFixture(t);
  await at.host("one", "two");
  const [one, two] = [await at.guest("one"), await at.guest("two")];
  const ports = (...names: string[]) => ({
    containerPorts: Object.fromEntries(names.map((name) => [name, { listeningTcp4Ports: [8080] }])),
  });
  await one.notify("tremplinReady", {});
  for (const containerName of ["a", "b", "ab"]) await one.notify("containerShutdown", { containerName });
  await one.notify("updateListeningPorts", ports("b", "c"));
  await one.notify("updateListeningPorts", ports("a", "b"));
  await one.notify(
    "updateListeningPorts",
    ports(
      "a",
      ..."x"
        .repeat(40)
        .split("")
        .map((x, i) => `${x.repeat(60)}${i}`),
    ),
  );
  await two.notify("containerShutdown", { containerName: "a" });
  const watched = async (request: object) => {
    const events = await Array.fromAsync(at.api(Host).watch({ after: 0n, onlyLog: true, ...request }));
    return events.slice(1).map((event) => `${event.sequence} ${eventText(event)}`);
  };
  const ofOne = ["2 one shutdown a", "6 one ports", "7 one ports"];
  assert.deepEqual(await watched({ guest: "one", containerName: "a" }), ofOne);
  assert.deepEqual(await watched({ containerName: "a" }), [...ofOne, "8 two shutdown a"]);
  assert.deepEqual(await watched({ containerName: "a", after: 6n }), ["7 one ports", "8 two shutdown a"]);
});

test("a cursor that the log does not have yet is refused: its events would be missed", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  await guest.notify("containerShutdown", { containerName: "a" });
  const watch = (after: bigint) => Array.fromAsync(at.api(Host).watch({ after, onlyLog: true }));
  assert.equal((await watch(1n)).length, 1);
  for (const after of [2n, 2n ** 64n - 1n]) {
    await assert.rejects(watch(after), hasCode(Code.OutOfRange, /the newest is 1.*watch again without it/));
  }
});

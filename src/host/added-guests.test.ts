import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { type HostFixture, hasCode, hostFixture, recordedEvents } from "../../test/support/host-fixture.ts";
import { Guest } from "../contract/tremplin/v1/guest_pb.js";
import { Host } from "../contract/tremplin/v1/host_pb.js";

const TOKEN = "0123456789abcdef0123456789abcdef";

function added(at: HostFixture, name: string, fields: object = {}) {
  const [address, listener] = [name, `listener-${name}`].map((each) => `unix:${join(at.folder, each)}.sock`);
  return at.api(Host).addGuest({ name, address, listener, ...fields } as object);
}

async function names({ api }: HostFixture): Promise<string[]> {
  return (await api(Host).listGuests({})).guests.map(({ name }) => name);
}

test("a guest is added while the host runs, and is there again after a restart", async (t) => {
  const at = await hostFixture(t);
  const first = await at.host("one");
  const two = await at.guest("two");
  two.containers.set("web", "running");
  const { guest } = await added(at, "two");
  assert.deepEqual([guest?.name, guest?.reachable, guest?.fromCommandLine], ["two", true, false]);
  await two.notify("containerShutdown", { containerName: "web" });
  assert.deepEqual(await recordedEvents(at), ["two shutdown web"]);
  const headers = { "tremplin-guest": "two" };
  assert.equal((await at.api(Guest).getStatus({}, { headers })).daemonId, two.daemonId);
  await first[Symbol.asyncDispose]();
  await at.host("one");
  assert.deepEqual(await names(at), ["one", "two"]);
  await two.notify("containerShutdown", { containerName: "web" });
  assert.equal((await recordedEvents(at)).length, 2);
  assert.equal((await stat(join(at.folder, "state/guests.json"))).mode & 0o777, 0o600);
});

test("a host without guests gets its first one by a command, and needs no address for it alone", async (t) => {
  const at = await hostFixture(t);
  await at.host();
  await assert.rejects(at.api(Guest).getStatus({}), hasCode(Code.FailedPrecondition, /tremplin guest add/));
  assert.deepEqual(await names(at), []);
  await added(at, "vm");
  assert.deepEqual(await names(at), ["vm"]);
});

test("a removed guest is gone, also after a restart, and its history stays", async (t) => {
  const at = await hostFixture(t);
  const first = await at.host("one");
  const two = await at.guest("two");
  two.containers.set("web", "running");
  await added(at, "two");
  await two.notify("updateStopStatus", { containerName: "web", status: 1 });
  await at.api(Host).removeGuest({ name: "two" });
  assert.deepEqual(await names(at), ["one"]);
  await assert.rejects(at.listener("two").tremplinReady({}));
  await assert.rejects(at.api(Host).listContainers({ guest: "two" }), hasCode(Code.NotFound, /no guest two/));
  await first[Symbol.asyncDispose]();
  await at.host("one");
  assert.deepEqual(await names(at), ["one"]);
  const { operations } = await at.api(Host).listOperations({ guest: "two" });
  assert.deepEqual(
    operations.map(({ kind, containerName }) => [kind, containerName]),
    [["stop", "web"]],
  );
  const events = await Array.fromAsync(at.api(Host).watch({ guest: "two", after: 0n, onlyLog: true }));
  assert.equal(events.length, 2);
  await assert.rejects(at.api(Host).listOperations({ guest: "six" }), hasCode(Code.NotFound, /no guest six/));
  await assert.rejects(at.api(Host).removeGuest({ name: "two" }), hasCode(Code.NotFound, /no guest two/));
  await assert.rejects(
    at.api(Host).removeGuest({ name: "one" }),
    hasCode(Code.FailedPrecondition, /comes from the command line of the host/),
  );
});

test("a guest that cannot be used is refused, and nothing of it is kept", async (t) => {
  const at = await hostFixture(t);
  await at.host("one");
  await added(at, "two", { token: TOKEN });
  const refusals: [string, object, Code, RegExp][] = [
    ["one", {}, Code.AlreadyExists, /there is a guest one already/],
    [
      "x",
      { address: `unix:${join(at.folder, "one.sock")}` },
      Code.AlreadyExists,
      /the address of guest one already/,
    ],
    ["x", { token: TOKEN }, Code.AlreadyExists, /guest two has this token already/],
    [
      "x",
      { listener: `unix:${join(at.folder, "listener-one.sock")}` },
      Code.AlreadyExists,
      /listens on .* already/,
    ],
    ["-x", {}, Code.InvalidArgument, /is not the name of a guest/],
    ["", {}, Code.InvalidArgument, /is not the name of a guest/],
    ["a\u001b[31m", {}, Code.InvalidArgument, /is not the name of a guest/],
    ["x", { address: "/x" }, Code.InvalidArgument, /is not an address/],
    ["x", { address: "vsock:any:8890" }, Code.InvalidArgument, /no daemon can be reached/],
    ["x", { address: "tcp:127.0.0.1:0" }, Code.InvalidArgument, /no daemon can be reached/],
    ["x", { address: "tcp:10.0.0.2:8890" }, Code.InvalidArgument, /without TLS/],
    ["x", { token: "short" }, Code.InvalidArgument, /the token of guest x cannot be used/],
    ["x", { listener: "" }, Code.InvalidArgument, /give it an address of its own with --listener/],
    ["x", { listener: "tcp:127.0.0.1:0" }, Code.InvalidArgument, /needs a port/],
    ["x", { listener: "tcp:0.0.0.0:7778" }, Code.InvalidArgument, /without TLS/],
    ["x", { listener: `unix:${at.folder}` }, Code.AlreadyExists, /a file that is not a socket is there/],
  ];
  for (const [name, fields, code, message] of refusals) {
    await assert.rejects(added(at, name, fields), hasCode(code, message));
  }
  assert.deepEqual(await names(at), ["one", "two"]);
  const kept = JSON.parse(await readFile(join(at.folder, "state/guests.json"), "utf8"));
  assert.deepEqual(
    kept.guests.map(({ name }: { name: string }) => name),
    ["two"],
  );
  await added(at, "x");
});

test("two guests of one context id are refused: nothing would show which one sends", async (t) => {
  const at = await hostFixture(t);
  await at.host();
  await added(at, "vm", { address: "vsock:3:8890" });
  await assert.rejects(
    added(at, "other", { address: "vsock:3:8891" }),
    hasCode(Code.AlreadyExists, /context id 3 is that of guest vm/),
  );
});

test("a damaged file, and a guest in it that cannot be used, do not keep the host from starting", async (t) => {
  const at = await hostFixture(t);
  const first = await at.host("one");
  await added(at, "two");
  await first[Symbol.asyncDispose]();
  const path = join(at.folder, "state/guests.json");
  const guests = JSON.parse(await readFile(path, "utf8")).guests;
  const odd = { name: "odd", address: "what a later version understands" };
  const far = { name: "far", address: "tcp:10.0.0.9:1" };
  await writeFile(path, JSON.stringify({ guests: [...guests, far, odd] }));
  const second = await at.host("one");
  assert.deepEqual(await names(at), ["one", "two"]);
  await added(at, "three");
  const kept = JSON.parse(await readFile(path, "utf8")).guests;
  assert.deepEqual(kept.slice(-2), [far, odd]);
  await at.api(Host).removeGuest({ name: "far" });
  await second[Symbol.asyncDispose]();
  await writeFile(path, "{");
  await at.host("one");
  assert.deepEqual(await names(at), ["one"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../test/support/eventually.ts";
import { type HostFixture, hostFixture } from "../../test/support/host-fixture.ts";
import { Engine_State } from "../contract/tremplin/v1/guest_pb.js";
import { type ContainerInfo, Host } from "../contract/tremplin/v1/host_pb.js";
import { ContainerStopProgress_Status, StartLxdProgress_Status } from "../contract/tremplin_pb.js";

async function listed({ api }: HostFixture, guest = "") {
  return (await api(Host).listContainers({ guest })).guests;
}

function text({ container, stale }: ContainerInfo): string {
  return `${container?.name} ${container?.state}${stale ? " stale" : ""}`;
}

/** Each container in one line, after a reading that failed for `reason`. */
async function lastKnown(at: HostFixture, reason: RegExp): Promise<string[]> {
  const [vm] = await listed(at, "vm");
  assert.match(vm?.failureReason ?? "", reason);
  for (const { stale, actions, container } of vm?.containers ?? []) {
    assert.ok(stale);
    assert.equal(container?.usage, undefined);
    assert.ok(actions.every(({ refusal }) => reason.test(refusal)));
  }
  return vm?.containers.map(text) ?? [];
}

test("the containers of all guests have state, ports, and what is legal with the reason where it is not", async (t) => {
  const at = await hostFixture(t);
  await at.host("two", "one");
  const one = await at.guest("one");
  const two = await at.guest("two");
  one.containers.set("web", "running").set("database", "stopped");
  two.containers.set("other", "running");
  await one.notify("updateListeningPorts", {
    containerPorts: { web: { listeningTcp4Ports: [8080, 80] }, gone: { listeningTcp4Ports: [] } },
  });
  const guests = await listed(at);
  assert.deepEqual(
    guests.map(({ guest, containers }) => [guest?.name, guest?.reachable, ...containers.map(text)]),
    [
      ["one", true, "database stopped", "web running"],
      ["two", true, "other running"],
    ],
  );
  const web = guests[0]?.containers[1];
  assert.deepEqual(web?.ports, [80, 8080]);
  const refusals = Object.fromEntries(web?.actions.map(({ action, refusal }) => [action, refusal]) ?? []);
  assert.equal(refusals.stop, "");
  assert.equal(refusals.start, "web is running already");
  const [create] = guests[0]?.actions.filter(({ action }) => action === "create") ?? [];
  assert.equal(create?.refusal, "");
  assert.deepEqual(
    (await listed(at, "two")).map(({ guest }) => guest?.name),
    ["two"],
  );
});

test("a caller that works out the actions itself gets none of any container", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  guest.containers.set("web", "running");
  const actions = async () => {
    const { guests } = await at.api(Host).listContainers({ withoutActions: true });
    return guests.flatMap((each) => [each.actions.length > 0, ...each.containers.map((one) => one.actions)]);
  };
  assert.deepEqual(await actions(), [true, []]);
  await guest.close();
  assert.deepEqual(await actions(), [true, []]);
});

test("an operation under way is shown, and refuses what needs the container for itself", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  guest.containers.set("web", "running");
  guest.containerFields = { operation: "export" };
  await guest.notify("updateExportStatus", {
    containerName: "web",
    status: 3,
    totalInputBytes: 100n,
    inputBytesStreamed: 40n,
  });
  const [vm] = await listed(at);
  const [web] = vm?.containers ?? [];
  assert.equal(web?.operation?.kind, "export");
  const refusal = web?.actions.find(({ action }) => action === "delete")?.refusal ?? "";
  assert.match(
    refusal,
    /^container web is busy: operation "export" is under way since 20\d\d-.*; wait for its end/,
  );
  assert.equal(web?.actions.find(({ action }) => action === "cancel")?.refusal, "");
});

test("a guest that is away keeps its last known containers, which are never shown as live", async (t) => {
  const at = await hostFixture(t);
  const first = await at.host("vm", "far");
  const guest = await at.guest("vm");
  guest.containers.set("web", "running").set("database", "stopped");
  assert.deepEqual((await listed(at, "vm"))[0]?.containers.map(text), ["database stopped", "web running"]);
  await guest.notify("updateStopStatus", {
    containerName: "web",
    status: ContainerStopProgress_Status.STOPPED,
  });
  await guest.close();
  const away = /^cannot reach guest vm at unix:/;
  assert.deepEqual(await lastKnown(at, away), ["database stopped stale", "web stopped stale"]);
  const all = await listed(at);
  assert.deepEqual(
    all.map(({ guest: info, containers }) => [info?.name, info?.reachable, containers.length]),
    [
      ["far", false, 0],
      ["vm", false, 2],
    ],
  );
  await first[Symbol.asyncDispose]();
  await at.host("vm", "far");
  const [vm] = await listed(at, "vm");
  assert.ok(vm?.readAt);
  assert.deepEqual(await lastKnown(at, away), ["database stopped stale", "web stopped stale"]);
});

test("the host reads a guest again when its daemon has started, and when its engine has", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  guest.containers.set("web", "running");
  guest.engine = Engine_State.STOPPED;
  await guest.notify("tremplinReady", {});
  const noEngine = /engine of guest vm does not run/;
  assert.deepEqual(await lastKnown(at, noEngine), []);
  guest.engine = Engine_State.RUNNING;
  const asked = guest.lists;
  await guest.notify("updateStartLxdStatus", { status: StartLxdProgress_Status.STARTED });
  await eventually("a reading", async () => (guest.lists >= asked + 1 ? true : undefined));
  guest.engine = Engine_State.STOPPED;
  // The reading may still be on its way.
  await eventually("a stale list", async () => ((await listed(at))[0]?.failureReason ? true : undefined));
  assert.deepEqual(await lastKnown(at, noEngine), ["web running stale"]);
  const [vm] = await listed(at);
  const refusals = vm?.actions.map(({ action, refusal }) => [action, refusal === ""]);
  assert.deepEqual(refusals, [
    ["start-engine", true],
    ["create", false],
    ["import", false],
  ]);
});

test("a guest with the original contract alone has the containers that its notices named", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const guest = await at.guest("vm", true);
  await guest.notify("updateStartStatus", { containerName: "penguin", status: 1 });
  const [vm] = await listed(at);
  assert.equal(vm?.guest?.reachable, true);
  assert.match(vm?.failureReason ?? "", /supports only the original contract/);
  assert.deepEqual(vm?.containers.map(text), ["penguin running stale"]);
});

test("what a guest says of its containers is checked", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  for (const name of ["web", "-x", "a\u001b[31m", "x".repeat(64), ""]) guest.containers.set(name, "running");
  guest.containerFields = {
    state: "run\nning",
    operation: "<b>",
    ipv4Address: "10.0.0.1; rm",
    addresses: ["::1", "x"],
    image: "x".repeat(1_000),
  };
  const [vm] = await listed(at);
  const [web, ...others] = vm?.containers ?? [];
  assert.deepEqual(others, []);
  const { name, state, operation, ipv4Address, addresses, image } = web?.container ?? {};
  assert.deepEqual(
    [name, state, operation, ipv4Address, addresses, image?.length],
    ["web", "unknown", "unknown", "", ["::1"], 300],
  );
});

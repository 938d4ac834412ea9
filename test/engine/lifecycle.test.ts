import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateContainerResponse_Status as Create,
  ContainerCreationProgress_Status as Created,
  DeleteContainerResponse_Status as Delete,
  ContainerDeletionProgress_Status as Deleted,
  GetContainerInfoResponse_Status as Info,
  StartContainerRequest_PrivilegeLevel as Level,
  StartContainerResponse_Status as Start,
  StartLxdResponse_Status as StartLxd,
  StopContainerResponse_Status as Stop,
  ContainerStopProgress_Status as Stopped,
} from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "../support/daemon.ts";
import { engineCommand, engineQuery, inContainer } from "../support/in-container.ts";
import {
  createTiny,
  launchedDaemon,
  shareTinyImage,
  startContainer,
  tinyRequest,
} from "../support/tiny-container.ts";

let daemon: TestDaemon;

before(async () => {
  daemon = await launchedDaemon();
});
after(() => daemon[Symbol.asyncDispose]());

test("a running engine is not launched again", async () => {
  assert.equal((await daemon.tremplin.startLxd({})).status, StartLxd.ALREADY_RUNNING);
});

test("from create to delete, with every notice once and in order", async () => {
  const { tremplin, listener } = daemon;
  await createTiny(daemon, "penguin");
  assert.equal((await tremplin.getContainerInfo({ containerName: "penguin" })).status, Info.STOPPED);

  const started = await tremplin.startContainer({ containerName: "penguin", token: "the-token" });
  assert.equal(started.status, Start.STARTING);
  assert.equal(started.osRelease?.id, "tiny");
  await listener.final("start", "penguin");
  assert.equal((await tremplin.getContainerInfo({ containerName: "penguin" })).status, Info.RUNNING);
  assert.equal(await inContainer(daemon, "penguin", "cat", "/dev/.container_token"), "the-token");
  assert.equal((await tremplin.startContainer({ containerName: "penguin" })).status, Start.RUNNING);

  assert.equal((await tremplin.stopContainer({ containerName: "penguin" })).status, Stop.STOPPING);
  assert.equal((await listener.final("stop", "penguin")).status, Stopped.STOPPED);
  assert.equal((await tremplin.stopContainer({ containerName: "penguin" })).status, Stop.STOPPED);

  await startContainer(daemon, "penguin");
  assert.equal((await tremplin.deleteContainer({ containerName: "penguin" })).status, Delete.DELETING);
  assert.equal((await listener.final("delete", "penguin")).status, Deleted.DELETED);
  assert.equal((await tremplin.getContainerInfo({ containerName: "penguin" })).status, Info.NOT_FOUND);

  const finals = listener.notices.filter(({ container, final }) => container === "penguin" && final);
  assert.deepEqual(finals.map(({ kind }) => kind).sort(), [
    "create",
    "delete",
    "shutdown",
    "shutdown",
    "start",
    "start",
    "stop",
  ]);
});

test("requests on a missing container get DOES_NOT_EXIST or FAILED, and no notice", async () => {
  const { tremplin, listener } = daemon;
  const before = listener.notices.length;
  assert.equal((await tremplin.stopContainer({ containerName: "nobody" })).status, Stop.DOES_NOT_EXIST);
  assert.equal((await tremplin.deleteContainer({ containerName: "nobody" })).status, Delete.DOES_NOT_EXIST);
  const start = await tremplin.startContainer({ containerName: "nobody" });
  assert.deepEqual(
    [start.status, start.failureReason],
    [Start.FAILED, "there is no container nobody; create it first"],
  );
  assert.equal(listener.notices.length, before);
});

test("a container that powers itself off is reported once", async () => {
  await createTiny(daemon, "self");
  await startContainer(daemon, "self");
  await inContainer(daemon, "self", "poweroff", "-f").catch(() => undefined);
  await daemon.listener.final("shutdown", "self");
  assert.equal((await daemon.tremplin.getContainerInfo({ containerName: "self" })).status, Info.STOPPED);
  // A start and a stop by us: a second notice of the first stop would come in between.
  await startContainer(daemon, "self");
  await daemon.tremplin.stopContainer({ containerName: "self" });
  await daemon.listener.final("stop", "self");
  await daemon.listener.final("shutdown", "self");
  assert.equal(daemon.listener.messages("shutdown", "self").length, 2);
});

test("a container that ignores the shutdown request is stopped by force within 30 s", async () => {
  await shareTinyImage(daemon, {
    "sbin/stubborn": STUBBORN,
    "etc/inittab": "::sysinit:/bin/sh /sbin/stubborn\n",
  });
  await createTiny(daemon, "stubborn");
  await shareTinyImage(daemon);
  await startContainer(daemon, "stubborn");
  const began = performance.now();
  await daemon.tremplin.stopContainer({ containerName: "stubborn" });
  const final = await daemon.listener.final("stop", "stubborn", 30_000);
  assert.equal(final.status, Stopped.STOPPED, final.failureReason);
  assert.ok(performance.now() - began > 5_000, "it stopped by itself: the test does not test what it should");
});

test("privileged and back: every file changes its owner on disk, none does inside the container", async () => {
  await createTiny(daemon, "owners");
  await startContainer(daemon, "owners");
  await inContainer(daemon, "owners", "sh", "-c", "touch /root/mine && chown 1000:42 /root/mine");
  const owner = async () => inContainer(daemon, "owners", "stat", "-c", "%u:%g", "/root/mine", "/etc/passwd");
  assert.equal(await owner(), "1000:42\n0:0");
  for (const level of [Level.PRIVILEGED, Level.UNPRIVILEGED]) {
    await daemon.tremplin.stopContainer({ containerName: "owners" });
    await daemon.listener.final("stop", "owners");
    const { status } = await daemon.tremplin.startContainer({
      containerName: "owners",
      privilegeLevel: level,
    });
    assert.equal(status, Start.REMAPPING);
    await daemon.listener.final("start", "owners");
    assert.equal(await owner(), "1000:42\n0:0");
    const { containers } = await daemon.guest.listContainers({});
    assert.equal(containers.find(({ name }) => name === "owners")?.privileged, level === Level.PRIVILEGED);
  }
  assert.deepEqual(await engineQuery(daemon, "/1.0/instances/owners/snapshots"), []);
});

test("a running container gets its privilege level at the next boot; an unknown level is rejected", async () => {
  const { tremplin } = daemon;
  const request = { containerName: "owners", privilegeLevel: Level.PRIVILEGED };
  assert.equal((await tremplin.startContainer(request)).status, Start.RUNNING);
  const { containers } = await daemon.guest.listContainers({});
  const owners = containers.find(({ name }) => name === "owners");
  assert.equal(owners?.privileged, true);
  const { memoryBytes = 0n, cpuNanoseconds = 0n, processes = 0 } = owners?.usage ?? {};
  assert.ok(
    memoryBytes > 0n && cpuNanoseconds > 0n && processes > 0,
    "the engine measures a running container",
  );
  const unknown = await tremplin.startContainer({ containerName: "owners", privilegeLevel: 7 as Level });
  assert.equal(unknown.status, Start.FAILED);
  assert.match(unknown.failureReason, /privilege level 7 is unknown/);
});

test("a container that is protected against an id shift is not changed, and the reason says so", async () => {
  const name = "fixed";
  const level = () => engineCommand(daemon, "config", "get", name, "security.privileged");
  await createTiny(daemon, name);
  await startContainer(daemon, name);
  await engineCommand(daemon, "config", "set", name, "security.protection.shift=true");
  const privileged = { containerName: name, privilegeLevel: Level.PRIVILEGED };
  const running = await daemon.tremplin.startContainer(privileged);
  assert.match(
    running.failureReason,
    /^starting fixed like that .*security\.protection\.shift is true\): set that/,
  );
  assert.equal(await level(), "\n");
  await daemon.tremplin.stopContainer({ containerName: name });
  await daemon.listener.final("stop", name);
  await daemon.tremplin.startContainer(privileged);
  const final = await daemon.listener.final("start", name);
  assert.equal(final.failureReason, running.failureReason);
  assert.equal(await level(), "\n");
  await startContainer(daemon, name);
});

test("a request on a busy container is rejected with the operation under way", async () => {
  const { tremplin, listener } = daemon;
  await createTiny(daemon, "busy");
  const [first, second] = await Promise.all([
    tremplin.startContainer({ containerName: "busy" }),
    tremplin.startContainer({ containerName: "busy" }),
  ]);
  const refused = [first, second].find(({ status }) => status === Start.FAILED);
  assert.match(
    refused?.failureReason ?? "",
    /container busy is busy: operation "start" is under way since 20/,
  );
  await listener.final("start", "busy");
  assert.equal(listener.messages("start", "busy").length, 1);
});

test("two creates at once succeed, unless they have the same name", async () => {
  const { tremplin, listener } = daemon;
  const names = ["twin-a", "twin-b", "twin-b"];
  const answers = await Promise.all(names.map((name) => tremplin.createContainer(tinyRequest(daemon, name))));
  assert.deepEqual(
    answers.map(({ status }) => status).sort(),
    [Create.CREATING, Create.CREATING, Create.FAILED].sort(),
  );
  for (const name of ["twin-a", "twin-b"]) {
    const { status, failureReason } = await listener.final("create", name);
    assert.equal(status, Created.CREATED, failureReason);
  }
  for (const name of ["twin-a", "twin-b"]) await startContainer(daemon, name);
  assert.equal((await tremplin.createContainer(tinyRequest(daemon, "twin-a"))).status, Create.EXISTS);
});

test("the next create replaces a container that was never started", async () => {
  await createTiny(daemon, "half");
  await createTiny(daemon, "half");
  await startContainer(daemon, "half");
  assert.equal((await daemon.tremplin.createContainer(tinyRequest(daemon, "half"))).status, Create.EXISTS);
});

const STUBBORN = "trap '' PWR TERM INT HUP USR1 USR2\nwhile :; do sleep 1; done\n";

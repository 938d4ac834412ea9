import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import {
  CreateContainerResponse_Status as Create,
  ContainerCreationProgress_Status as Created,
  StopContainerResponse_Status as Stopping,
  Tremplin,
} from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import { dial } from "../../src/transport/client.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { engineOf } from "../support/engine-of.ts";
import { engineCommand, inContainer } from "../support/in-container.ts";
import { imported, plainMetadata, shareBackup } from "../support/tiny-backup.ts";
import { createTiny, launchedDaemon, startContainer, tinyRequest } from "../support/tiny-container.ts";

/** A create takes the place only of a container that we made and that nobody ever used. */
let daemon: TestDaemon;
let engine: Engine;

before(async () => {
  daemon = await launchedDaemon();
  engine = await engineOf(daemon);
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
});

async function uuid(name: string): Promise<string | undefined> {
  return (await engine.instances.get(name)).value.config["volatile.uuid"];
}

async function createAgain(name: string): Promise<Create> {
  return (await daemon.tremplin.createContainer(tinyRequest(daemon, name))).status;
}

test("six clients create a container at every moment of an operation on it: it stays, with its files", async () => {
  const name = "penguin";
  await createTiny(daemon, name);
  await startContainer(daemon, name);
  await inContainer(daemon, name, "touch", "/root/work");
  const before = await uuid(name);
  const over = new AbortController();
  const answers: Create[] = [];
  const hammer = async (): Promise<void> => {
    using connection = dial({ kind: "unix", path: `${daemon.folder}/guest.sock` });
    const tremplin = createClient(Tremplin, connection.transport);
    while (!over.signal.aborted) {
      answers.push((await tremplin.createContainer(tinyRequest(daemon, name))).status);
    }
  };
  const hammers = Array.from({ length: 6 }, hammer);
  for (let round = 0; round < 3; round++) {
    let stopping = await daemon.tremplin.stopContainer({ containerName: name });
    while (stopping.status === Stopping.FAILED) {
      stopping = await daemon.tremplin.stopContainer({ containerName: name });
    }
    await daemon.listener.final("stop", name);
    await startContainer(daemon, name);
  }
  over.abort();
  await Promise.all(hammers);
  assert.equal(await uuid(name), before);
  await inContainer(daemon, name, "stat", "/root/work");
  assert.ok(answers.length > 20);
  assert.deepEqual([...new Set(answers)].sort(), [Create.EXISTS]);
});

test("a container that the engine's own client started exists", async () => {
  await createTiny(daemon, "by-hand");
  const before = await uuid("by-hand");
  await engineCommand(daemon, "start", "by-hand");
  assert.equal(await createAgain("by-hand"), Create.EXISTS);
  await engineCommand(daemon, "stop", "--force", "by-hand");
  assert.equal(await createAgain("by-hand"), Create.EXISTS);
  assert.equal(await uuid("by-hand"), before);
});

test("a container with a snapshot, or a protected one, exists", async () => {
  await createTiny(daemon, "kept");
  const before = await uuid("kept");
  await engineCommand(daemon, "snapshot", "kept", "mine");
  assert.equal(await createAgain("kept"), Create.EXISTS);
  await engineCommand(daemon, "delete", "kept/mine");
  await engineCommand(daemon, "config", "set", "kept", "security.protection.delete=true");
  assert.equal(await createAgain("kept"), Create.EXISTS);
  assert.equal(await uuid("kept"), before);
});

test("a container that never ran exists if it is provisioned, or has a device or a setting", async () => {
  const uses: Record<string, () => Promise<unknown>> = {
    settings: () => engineCommand(daemon, "config", "set", "settings", "limits.memory=64MiB"),
    devices: () => engineCommand(daemon, "config", "device", "add", "devices", "none", "none"),
    person: () => daemon.tremplin.setUpUser({ containerName: "person", containerUsername: "anna" }),
  };
  for (const [name, use] of Object.entries(uses)) {
    await createTiny(daemon, name);
    const before = await uuid(name);
    await use();
    assert.equal(await createAgain(name), Create.EXISTS, name);
    assert.equal(await uuid(name), before);
  }
});

test("a container that another user made exists", async () => {
  await engineCommand(daemon, "init", "--empty", "theirs");
  assert.equal(await createAgain("theirs"), Create.EXISTS);
});

test("a copy of a container with our mark exists", async () => {
  await createTiny(daemon, "origin");
  await engineCommand(daemon, "start", "origin");
  await inContainer(daemon, "origin", "touch", "/root/work");
  await engineCommand(daemon, "stop", "--force", "origin");
  await engineCommand(daemon, "copy", "origin", "twin");
  const before = await uuid("twin");
  assert.equal(await createAgain("twin"), Create.EXISTS);
  assert.equal(await uuid("twin"), before);
});

test("an imported backup of a container with our mark exists", async () => {
  const metadata = plainMetadata.replace("{os: tiny}", '{os: tiny, createdByTremplin: "true"}');
  await shareBackup(daemon, "unmarked.tini", { metadata, files: { "root/work": "" } });
  await imported(daemon, "restored", "unmarked.tini");
  const before = await uuid("restored");
  assert.equal(await createAgain("restored"), Create.EXISTS);
  assert.equal(await uuid("restored"), before);
});

test("a container that this daemon made and nobody used is replaced", async () => {
  await createTiny(daemon, "fresh");
  const before = await uuid("fresh");
  assert.equal(await createAgain("fresh"), Create.CREATING);
  assert.equal((await daemon.listener.final("create", "fresh")).status, Created.CREATED);
  assert.notEqual(await uuid("fresh"), before);
});

test("a protected container is neither stopped nor deleted, with a reason", async () => {
  const name = "safe";
  await createTiny(daemon, name);
  await startContainer(daemon, name);
  await inContainer(daemon, name, "touch", "/run/still-the-same");
  await engineCommand(daemon, "config", "set", name, "security.protection.delete=true");
  await daemon.tremplin.deleteContainer({ containerName: name });
  const { failureReason } = await daemon.listener.final("delete", name);
  assert.match(
    failureReason,
    /^safe is protected against deletion \(security.protection.delete is true\): set that/,
  );
  await inContainer(daemon, name, "stat", "/run/still-the-same");
});

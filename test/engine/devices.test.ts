import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  VmDeviceAction as Action,
  AttachUsbToContainerResponse_Status as Attached,
  DetachUsbFromContainerResponse_Status as Detached,
  UpdateContainerDevicesResponse_UpdateResult as Result,
  UpdateContainerDevicesResponse_Status as Updated,
} from "../../src/contract/tremplin_pb.js";
import { findRootPorts } from "../../src/daemon/devices/root-ports.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { engineCommand, engineQuery } from "../support/in-container.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

/** Nodes that every machine has, in the place of sound cards. */
const SITE = `name: devices
profile: {devicePatterns: ["^full$", "^ra.*m$"]}
microphone: "^zero$"
`;

let folder: KeptFolder;
let daemon: TestDaemon;

before(async () => {
  folder = await keptFolder();
  const site = join(folder.path, "devices.yaml");
  await writeFile(site, SITE);
  daemon = await launchedDaemon({ site });
  await createTiny(daemon, "one");
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function devicesOf(path: string): Promise<Record<string, unknown>> {
  return ((await engineQuery(daemon, path)) as { devices: Record<string, unknown> }).devices;
}
const update = (updates: Record<string, Action>, containerName = "one") =>
  daemon.tremplin.updateContainerDevices({ containerName, updates });

test("every container gets the nodes that the site's patterns find, with their numbers", async () => {
  const devices = await devicesOf("/1.0/profiles/default");
  assert.deepEqual(devices["/dev/full"], {
    type: "unix-char",
    path: "/dev/full",
    major: "1",
    minor: "7",
    mode: "0666",
  });
  assert.ok("/dev/random" in devices && !("/dev/zero" in devices));
});

test("a container gets the microphone at its start, unless that says no; its own devices stay", async () => {
  await engineCommand(
    daemon,
    "config",
    "device",
    "add",
    "one",
    "mine",
    "unix-char",
    "source=/dev/null",
    "path=/dev/mine",
  );
  await startContainer(daemon, "one");
  assert.deepEqual(Object.keys(await devicesOf("/1.0/instances/one")).sort(), ["/dev/zero", "mine"]);
  await daemon.tremplin.stopContainer({ containerName: "one" });
  await daemon.listener.final("stop", "one");
  await startContainer(daemon, "one", { disableAudioCapture: true });
  assert.deepEqual(Object.keys(await devicesOf("/1.0/instances/one")), ["mine"]);
});

test("the microphone is given and taken while it runs; a camera is not to be had", async () => {
  const given = await update({ microphone: Action.ENABLE, camera: Action.ENABLE, other: Action.DISABLE });
  assert.equal(given.status, Updated.OK, given.failureReason);
  assert.deepEqual(given.results, {
    microphone: Result.SUCCESS,
    camera: Result.NO_SUCH_VM_DEVICE,
    other: Result.NO_SUCH_VM_DEVICE,
  });
  assert.ok("/dev/zero" in (await devicesOf("/1.0/instances/one")));
  for (let time = 0; time < 2; time++) {
    const taken = await update({ microphone: Action.DISABLE });
    assert.deepEqual([taken.status, taken.results], [Updated.OK, { microphone: Result.SUCCESS }]);
  }
  assert.deepEqual(Object.keys(await devicesOf("/1.0/instances/one")), ["mine"]);
  assert.equal((await update({ microphone: Action.ENABLE }, "nobody")).status, Updated.NO_SUCH_CONTAINER);
  assert.equal((await update({ microphone: Action.ENABLE }, "..")).status, Updated.FAILED);
});

test("without a USB controller that is said, and nothing else suffers", async (context) => {
  if ((await findRootPorts()).length > 0) return context.skip("this machine has one");
  const attach = await daemon.tremplin.attachUsbToContainer({ portNum: 1, containerName: "one" });
  assert.equal(attach.status, Attached.FAILED);
  assert.match(attach.failureReason, /no xHCI controller/);
  assert.equal((await daemon.tremplin.detachUsbFromContainer({ portNum: 1 })).status, Detached.FAILED);
  assert.deepEqual((await daemon.guest.listUsbPorts({})).ports, []);
});

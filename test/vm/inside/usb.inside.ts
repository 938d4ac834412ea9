import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import {
  AttachUsbToContainerResponse_Status as Attached,
  DetachUsbFromContainerResponse_Status as Detached,
} from "../../../src/contract/tremplin_pb.js";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import { engineCommand, engineQuery, inContainer } from "../../support/in-container.ts";
import { createTiny, launch, shareTinyImage, startContainer } from "../../support/tiny-container.ts";
import { type Monitor, openMonitor } from "../support/qmp.ts";

/** A controller with four ports of USB 2, then four of USB 3; and one with two of each (run-in-guest.ts). */
const PORTS = 12;
const SERIAL = { driver: "usb-serial", chardev: "serial", "always-plugged": true };
const STORAGE = { driver: "usb-storage", drive: "stick" };

let monitor: Monitor;
let daemon: TestDaemon;

before(async () => {
  monitor = await openMonitor();
  daemon = await startDaemon();
  await launch(daemon);
  await shareTinyImage(daemon);
  for (const name of ["one", "two"]) await createTiny(daemon, name);
  await startContainer(daemon, "one");
  await engineCommand(
    daemon,
    "config",
    "device",
    "add",
    "one",
    "mine",
    "unix-char",
    "source=/dev/zero",
    "path=/dev/mine",
  );
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  monitor[Symbol.dispose]();
});

const plug = (id: string, port: string, device: object) =>
  monitor.run("device_add", { id, port, bus: "xhci.0", ...device });
const unplug = (id: string) => monitor.unplug(id);

async function attach(portNum: number, containerName: string): Promise<void> {
  const { status, failureReason } = await daemon.tremplin.attachUsbToContainer({ portNum, containerName });
  assert.equal(status, Attached.OK, failureReason);
}

async function detach(portNum: number): Promise<void> {
  const { status, failureReason } = await daemon.tremplin.detachUsbFromContainer({ portNum });
  assert.equal(status, Detached.OK, failureReason);
}

/** The device nodes of a container, according to the engine. */
async function nodesOf(name: string): Promise<string[]> {
  const { devices } = (await engineQuery(daemon, `/1.0/instances/${name}`)) as { devices: object };
  return Object.keys(devices)
    .filter((key) => key.startsWith("/dev/"))
    .sort();
}

/** Waits until the nodes of a container, joined by spaces, match the pattern. */
async function nodes(name: string, pattern: RegExp): Promise<string[]> {
  return await eventually(`nodes of ${name} like ${pattern}`, async () => {
    const found = await nodesOf(name);
    return pattern.test(found.join(" ")) ? found : undefined;
  });
}

/** Reads the descriptor of a device in a container, which proves that the device is usable. */
async function descriptor(name: string, node: string | undefined): Promise<string> {
  return await inContainer(daemon, name, "sh", "-c", `head -c 18 ${node} | wc -c`);
}

test("impossible requests are refused with a reason", async () => {
  const missing = await daemon.tremplin.attachUsbToContainer({ portNum: 1, containerName: "nobody" });
  assert.equal(missing.status, Attached.NO_SUCH_CONTAINER);
  for (const portNum of [0, -1, PORTS + 1]) {
    const { status, failureReason } = await daemon.tremplin.attachUsbToContainer({
      portNum,
      containerName: "one",
    });
    assert.equal(status, Attached.FAILED);
    assert.match(failureReason, /ports are 1 to 12/);
    assert.equal((await daemon.tremplin.detachUsbFromContainer({ portNum })).status, Detached.FAILED);
  }
  await detach(4);
});

test("attached before it is plugged in: the device nodes appear and disappear with the device", async () => {
  await attach(1, "one");
  await plug("adapter", "1", SERIAL);
  const [bus] = await nodes("one", /^\/dev\/bus\/usb\/001\/\d+ \/dev\/ttyUSB0$/);
  assert.equal(await descriptor("one", bus), "18");
  await unplug("adapter");
  await nodes("one", /^$/);
  assert.equal(await inContainer(daemon, "one", "sh", "-c", `ls ${bus} 2>/dev/null || echo gone`), "gone");
  await plug("adapter", "1", SERIAL);
  await nodes("one", /^\/dev\/bus\/usb\/001\/\d+ \/dev\/ttyUSB0$/);
});

test("plugged in before it is attached: SuperSpeed storage with its disk", async () => {
  await plug("stick", "2", STORAGE);
  const disk = async () => ((await readdir("/sys/block")).includes("sda") ? true : undefined);
  await eventually("the disk", disk);
  await attach(4 + 2, "one");
  await nodes("one", /\/dev\/bus\/usb\/002\/\d+ \/dev\/sda \/dev\/ttyUSB0$/);
  assert.match(await inContainer(daemon, "one", "ls", "-l", "/dev/sda"), /^b/);
  await unplug("stick");
  await nodes("one", /^\/dev\/bus\/usb\/001\/\d+ \/dev\/ttyUSB0$/);
  await detach(4 + 2);
});

test("a device behind a hub belongs to the hub's port", async () => {
  await attach(3, "one");
  await plug("hub", "3", { driver: "usb-hub" });
  await plug("keys", "3.2", { driver: "usb-kbd" });
  // A keyboard has a hidraw node, as a security key does; its input node is not given.
  await nodes("one", /^(\/dev\/bus\/usb\/001\/\d+ ){3}\/dev\/hidraw\d \/dev\/ttyUSB0$/);
  await unplug("hub");
  await nodes("one", /^\/dev\/bus\/usb\/001\/\d+ \/dev\/ttyUSB0$/);
  await detach(3);
});

test("a device in a port of the second controller", async () => {
  await attach(9, "two");
  await plug("other", "1", { driver: "usb-kbd", bus: "second.0" });
  await nodes("two", /^\/dev\/bus\/usb\/003\/\d+ \/dev\/hidraw\d$/);
  await unplug("other");
  await nodes("two", /^$/);
  await detach(9);
});

test("the device nodes exist again after a restart of the container", async () => {
  await daemon.tremplin.stopContainer({ containerName: "one" });
  await daemon.listener.final("stop", "one", 60_000);
  await startContainer(daemon, "one");
  const [bus] = await nodesOf("one");
  assert.equal(await descriptor("one", bus), "18");
});

test("plugged in again while the daemon is dead: the next daemon corrects the nodes", async () => {
  const [before] = await nodesOf("one");
  await daemon.kill();
  await unplug("adapter");
  await plug("adapter", "1", SERIAL);
  await daemon.start();
  const [bus] = await eventually(
    "a fresh node",
    async () => {
      const found = await nodesOf("one").catch(() => []);
      return found.length === 2 && found[0] !== before ? found : undefined;
    },
    60_000,
  );
  assert.equal(await descriptor("one", bus), "18");
});

test("a port can be attached to another container, and attached to the first one again", async () => {
  await attach(1, "two");
  await nodes("one", /^$/);
  await nodes("two", /ttyUSB0$/);
  await attach(1, "one");
  await nodes("two", /^$/);
  await nodes("one", /ttyUSB0$/);
});

test("50 fast plugs, unplugged while they are attached: no file and no node is left", async () => {
  await unplug("adapter");
  await nodes("one", /^$/);
  const files = async () => (await readdir(`/proc/${daemon.pid}/fd`)).length;
  const before = await files();
  for (let round = 0; round < 50; round++) {
    await plug("hurried", "1", SERIAL);
    await unplug("hurried");
  }
  await plug("hurried", "1", SERIAL);
  await nodes("one", /^\/dev\/bus\/usb\/001\/\d+ \/dev\/ttyUSB\d$/);
  await unplug("hurried");
  await nodes("one", /^$/);
  const same = async () => ((await files()) <= before + 2 ? true : undefined);
  await eventually("the end of what was open", same);
});

test("after a detach no device is added; devices of the container itself are kept", async () => {
  await detach(1);
  await plug("last", "1", SERIAL);
  const adapter = async () =>
    (await readdir("/dev")).some((name) => name.startsWith("ttyUSB")) ? true : undefined;
  await eventually("the adapter", adapter);
  assert.deepEqual(await nodesOf("one"), []);
  assert.match(await inContainer(daemon, "one", "ls", "-l", "/dev/mine"), /^c/);
  const record = JSON.parse(await readFile(`${daemon.folder}/state/usb.json`, "utf8"));
  assert.deepEqual(record.wishes, {});
  await unplug("last");
});

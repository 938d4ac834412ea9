import assert from "node:assert/strict";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { systemClock } from "../../src/base/async/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { UsbAttachments } from "../../src/daemon/devices/usb-attachments.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { eventually } from "../support/eventually.ts";
import { type FakeUsb, fakeUsb } from "../support/fake-usb.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { type PrivateLxd, privateLxd } from "../support/private-lxd.ts";
import { uploadTinyImage } from "../support/tiny-image.ts";

let lxd: PrivateLxd;
let engine: Engine;
let folder: KeptFolder;
let plugs: FakeUsb;
let usb: UsbAttachments;

before(async () => {
  lxd = await privateLxd();
  engine = await lxd.connect();
  folder = await keptFolder();
  await uploadTinyImage(engine);
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
  await lxd?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  plugs = await fakeUsb();
  await plugs.plug(1, "plugged-1");
  await create("one");
  await begin();
});
afterEach(async () => {
  await usb[Symbol.asyncDispose]();
  await plugs[Symbol.asyncDispose]();
  for (const { name } of await engine.instances.list()) {
    const stop = { action: "stop", force: true } as const;
    await (await engine.instances.setState(name, stop)).wait().catch(() => "it did not run");
    await (await engine.instances.delete(name)).wait();
  }
  await rm(record(), { force: true });
});

const record = (name = "usb.json") => join(folder.path, name);
async function begin(): Promise<void> {
  usb = await UsbAttachments.open({
    file: record(),
    engine: () => engine,
    clock: systemClock,
    log: silentLogger,
    sys: plugs.sys,
  });
  usb.watch(engine);
}
async function create(name: string): Promise<void> {
  await (await engine.instances.create({ name, source: { type: "image", alias: "tiny" } })).wait();
}
async function devicesOf(name: string): Promise<readonly string[]> {
  return Object.keys((await engine.instances.get(name)).value.devices).sort();
}
const has = (name: string, ...devices: string[]) =>
  eventually(`${name} with ${devices.join(", ") || "nothing"}`, async () => {
    const found = await devicesOf(name);
    return found.join() === devices.join() || undefined;
  });
const holder = async (port: number) => (await usb.list())[port - 1]?.container;
const holds = (port: number, name: string) =>
  eventually(`port ${port} of ${name || "nobody"}`, async () => (await holder(port)) === name || undefined);
/** A container that runs and in which the engine cannot make nodes, until the file that is answered is away. */
async function createBroken(): Promise<string> {
  await create("broken");
  await (await engine.instances.setState("broken", { action: "start" })).wait();
  const nodes = join(lxd.folder, "devices/broken");
  await rm(nodes, { recursive: true, force: true });
  await writeFile(nodes, "");
  return nodes;
}

test("a deleted container has no port any more, also not when another one takes its name", async () => {
  await usb.attach(1, "one");
  await (await engine.instances.delete("one")).wait();
  await holds(1, "");
  await create("one");
  await usb.attach(2, "one");
  assert.deepEqual(await devicesOf("one"), []);
});

test("a renamed container keeps its port, and a copy gets nothing of it", async () => {
  await usb.attach(1, "one");
  await (await engine.instances.rename("one", "other")).wait();
  await holds(1, "other");
  await (await engine.instances.copy("other", "copy")).wait();
  await has("copy");
  await has("other", "/dev/plugged-1");
  await usb.detach(1);
  assert.deepEqual(await devicesOf("other"), []);
});

test("what is put back from a snapshot gets what its port holds now", async () => {
  await usb.attach(1, "one");
  await (await engine.snapshots.create("one", "before")).wait();
  await plugs.plug(1, "plugged-2");
  await usb.attach(1, "one");
  await has("one", "/dev/plugged-2");
  await (await engine.snapshots.restore("one", "before")).wait();
  await has("one", "/dev/plugged-2");
});

test("with the record lost or spoilt nobody has anything, and no node stays", async () => {
  for (const spoil of [() => rm(record()), () => writeFile(record(), "{")]) {
    await usb.attach(1, "one");
    await usb[Symbol.asyncDispose]();
    await spoil();
    await begin();
    await has("one");
    assert.equal(await holder(1), "");
  }
  assert.ok((await readdir(folder.path)).includes("usb.json.unreadable"));
});

test("a container that cannot be given anything holds up nobody else", async () => {
  const obstacle = await createBroken();
  await usb.attach(2, "broken");
  await usb.attach(3, "one");
  await plugs.plug(2, "plugged-2");
  await plugs.plug(3, "plugged-3");
  // Something is seen to happen, without waiting for the next try at the broken one.
  await create("any");
  await has("one", "/dev/plugged-3");
  assert.deepEqual(await devicesOf("broken"), []);
  await rm(obstacle);
  await has("broken", "/dev/plugged-2");
});

test("a person's own device at the same path comes first, and stays", async () => {
  const mine = { type: "unix-char", source: "/dev/zero", path: "/dev/plugged-1" };
  await engine.instances.update("one", (each) => ({ ...each, devices: { mine } }));
  await usb.attach(1, "one");
  await usb.detach(1);
  assert.deepEqual(await devicesOf("one"), ["mine"]);
});

test("what the engine does not take is not attached, and who had it has it again", async () => {
  const obstacle = await createBroken();
  await usb.attach(1, "one");
  await assert.rejects(usb.attach(1, "broken"), /devices\/broken/);
  await has("one", "/dev/plugged-1");
  assert.equal(await holder(1), "one");
  await rm(obstacle);
});

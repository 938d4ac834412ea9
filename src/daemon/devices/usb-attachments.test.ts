import assert from "node:assert/strict";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ContainerActions } from "../../../test/support/container-actions.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { type FakeUsb, fakeUsb } from "../../../test/support/fake-usb.ts";
import { temporaryFolder } from "../../../test/support/hostile-peer.ts";
import { MemoryEngine } from "../../../test/support/memory-engine/memory-engine.ts";
import { tinyImageBytes } from "../../../test/support/memory-engine/tiny-image-bytes.ts";
import { repository } from "../../../test/support/repository.ts";
import { systemClock } from "../../base/async/clock.ts";
import { silentLogger as log } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { uuidOf } from "../containers/find-container.ts";
import { UsbAttachments } from "./usb-attachments.ts";

const FIRST = "0000:00:01.0";
/** Before the first controller, and as large. */
const DOCK = "0000:00:00.5";
const hubs = (bus: number) => ({ [`usb${bus}`]: ["0002", 8], [`usb${bus + 1}`]: ["0003", 8] }) as const;

let memory: MemoryEngine;
let engine: Engine;
let containers: ContainerActions;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let plugs: FakeUsb;
let usb: UsbAttachments;

beforeEach(async () => {
  memory = await MemoryEngine.open();
  engine = await memory.connect();
  containers = new ContainerActions(engine, memory.addImage(tinyImageBytes()));
  await containers.create("one");
  folder = await temporaryFolder();
  plugs = await fakeUsb();
  usb = await daemon();
});
afterEach(async () => {
  await usb[Symbol.asyncDispose]();
  await plugs[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
  await memory[Symbol.asyncDispose]();
});

const file = () => join(folder.path, "usb.json");
async function daemon(boot = "first boot", running = () => engine): Promise<UsbAttachments> {
  const options = { file: file(), engine: running, clock: systemClock, log, sys: plugs.sys, boot };
  const started = await UsbAttachments.open(options);
  started.watch(engine);
  return started;
}
async function restart(boot?: string): Promise<void> {
  await usb[Symbol.asyncDispose]();
  usb = await daemon(boot);
}
const numbers = async () => (await usb.list()).map(({ number }) => number);
const holders = async () =>
  (await usb.list())
    .filter(({ container }) => container !== "")
    .map(({ number, container }) => [number, container]);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
/** The container gets exactly these at the next look at everything, which takes away what it has no right to. */
async function has(...devices: string[]): Promise<void> {
  const stale = { type: "unix-char", path: "/dev/stale", "user.tremplin": "usb" };
  await engine.instances.update("one", (each) => ({
    ...each,
    devices: { ...each.devices, "/dev/stale": stale },
  }));
  usb.watch(engine);
  await eventually(`one with ${devices.join(", ") || "nothing"}`, async () => {
    const found = Object.keys((await containers.get("one")).devices).sort();
    return found.join() === devices.join() || undefined;
  });
}
/** A dock with something in its first port, and in its first port of USB 3. */
async function plugDock(slot = DOCK): Promise<string> {
  const dock = await plugs.addController(slot, hubs(5));
  await plugs.plugInto(`${dock}/usb5/5-1`, "in-the-dock");
  await plugs.plugInto(`${dock}/usb6/6-1`, "fast-in-the-dock");
  return dock;
}

test("a dock before the first controller takes no number, and comes back under its own", async () => {
  await plugs.plug(1, "mine");
  await usb.attach(1, "one");
  assert.deepEqual(await numbers(), range(1, 16));
  await plugDock();
  assert.deepEqual(await numbers(), range(1, 32));
  await has("/dev/mine");
  await usb.attach(17, "one");
  await has("/dev/in-the-dock", "/dev/mine");
  await plugs.removeController(DOCK);
  await has("/dev/mine");
  // A second dock elsewhere does not get what was the first one's.
  await plugDock("0000:00:00.2");
  assert.deepEqual(await numbers(), [...range(1, 17), ...range(33, 48)]);
  await has("/dev/mine");
  await plugs.removeController("0000:00:00.2");
  await plugDock();
  await has("/dev/in-the-dock", "/dev/mine");
});

test("without the first controller its numbers are nobody's, also after a restart of the daemon", async () => {
  await plugs.plug(1, "mine");
  await usb.attach(1, "one");
  await has("/dev/mine");
  await plugs.removeController(FIRST);
  await plugDock();
  for (let time = 0; time < 2; time++) {
    await has();
    assert.deepEqual(await numbers(), [1, ...range(17, 32)]);
    await assert.rejects(usb.attach(1, "one"), /there is no USB port 1: ports are 17 to 32$/);
    await restart();
  }
  const first = await plugs.addController(FIRST, hubs(9));
  await plugs.plugInto(`${first}/usb9/9-1`, "mine-again");
  await has("/dev/mine-again");
  await restart();
  assert.deepEqual(await numbers(), range(1, 32));
  assert.deepEqual(await holders(), [[1, "one"]]);
});

test("the devices are right although the engine that is watched does not count as running yet", async () => {
  await plugs.plug(1, "mine");
  await usb.attach(1, "one");
  await usb[Symbol.asyncDispose]();
  usb = await daemon("first boot", () => {
    throw new TremplinError("unavailable", "the engine is recovering");
  });
  await has("/dev/mine");
});

test("a port whose controller is away can be detached", async () => {
  await usb.attach(16, "one");
  await plugs.removeController(FIRST);
  assert.deepEqual(await holders(), [[16, "one"]]);
  await usb.detach(16);
  assert.deepEqual(await usb.list(), []);
  await assert.rejects(usb.detach(16), /no xHCI controller/);
});

test("a controller with one hub, or a second hub that comes late, moves no number", async () => {
  await usb.attach(9, "one");
  const late = await plugs.addController(DOCK, { usb5: ["0002", 2] });
  assert.deepEqual(await numbers(), range(1, 18));
  await plugs.removeController(DOCK);
  await plugs.addController(DOCK, { usb5: ["0002", 2], usb6: ["0003", 2] });
  await plugs.plugInto(`${late}/usb6/6-1`, "late");
  assert.deepEqual(await numbers(), range(1, 20));
  await has();
  await usb.attach(19, "one");
  await has("/dev/late");
});

test("the only controller in another slot keeps its numbers after a boot, not within one", async () => {
  await usb.attach(1, "one");
  await plugs.removeController(FIRST);
  await plugDock();
  await restart();
  await has();
  await plugs.removeController(DOCK);
  await plugs.addController(FIRST, hubs(1));
  await writeFile(file(), JSON.stringify({ wishes: JSON.parse(await readFile(file(), "utf8")).wishes }));
  await restart();
  assert.deepEqual(await numbers(), range(1, 16));
  await plugs.removeController(FIRST);
  await plugDock();
  await restart("second boot");
  assert.deepEqual(await numbers(), range(1, 16));
  await has("/dev/in-the-dock");
});

test("numbers that an earlier version wrote mean the ports that it meant, from then on", async () => {
  await cp(join(repository, "test/fixtures/state-v0/usb.json"), file());
  const old = JSON.parse(await readFile(file(), "utf8"));
  const identity = uuidOf(await containers.get("one"));
  const assignment = { ...old.wishes["3"], identity };
  await writeFile(file(), JSON.stringify({ wishes: { "3": assignment, "20": assignment } }));
  await plugs.plug(3, "mine");
  await restart();
  await has("/dev/mine");
  // What was port 20 is away: nothing that comes later is taken for it.
  await plugDock();
  assert.deepEqual(await numbers(), [...range(1, 16), ...range(21, 36)]);
  await restart();
  await has("/dev/mine");
  await usb.detach(20);
});

test("a new port has no number until that is written", async () => {
  const obstacle = `${file()}.new`;
  await mkdir(obstacle);
  await plugDock();
  assert.deepEqual(await numbers(), range(1, 16));
  await rm(obstacle, { recursive: true });
  assert.deepEqual(await numbers(), range(1, 32));
});

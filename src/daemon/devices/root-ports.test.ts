import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fakeUsb } from "../../../test/support/fake-usb.ts";
import { findRootPorts, isInPort, placeOf } from "./root-ports.ts";
import { usbNodes } from "./usb-nodes.ts";

const controller = "devices/pci0000:00/0000:00:01.0";

/** The folders of a hub's ports. */
const folders = (path: string, bus: number, ports: number) =>
  Array.from({ length: ports }, (_, at) => `${path}/usb${bus}/${bus}-${at + 1}`);
const first = [...folders(controller, 1, 8), ...folders(controller, 2, 8)];
const found = async (sys: string) => (await findRootPorts(sys)).map(({ folder }) => folder);

test("a controller is found by its class, its ports by its root hubs", async () => {
  await using usb = await fakeUsb();
  assert.deepEqual(await found(usb.sys), first);
  const ports = await findRootPorts(usb.sys);
  assert.deepEqual(ports[9], { controller, usbVersion: 3, port: 2, folder: `${controller}/usb2/2-2` });
  assert.deepEqual(await findRootPorts("/nowhere"), []);
});

test("the ports of other controllers follow those of the first", async () => {
  await using usb = await fakeUsb();
  const second = await usb.addController("0000:04:00.3", { usb3: ["0002", 4], usb4: ["0003", 2] });
  const third = await usb.addController("0000:00:00.1", { usb5: ["0002", 3] });
  // With one hub it comes last.
  const last = folders(third, 5, 3);
  assert.deepEqual(await found(usb.sys), [
    ...first,
    ...folders(second, 3, 4),
    ...folders(second, 4, 2),
    ...last,
  ]);
  await rm(join(usb.sys, second), { recursive: true });
  assert.deepEqual(await found(usb.sys), [...first, ...last]);
});

for (const [path, place] of [
  ["devices/pci0000:00/0000:00:14.0", "devices/pci0000:00/0000:00:14.0"],
  ["devices/pci0000:00/0000:00:1c.4/0000:39:00.0", "devices/pci0000:00/0000:00:1c.4/00.0"],
  [
    "devices/pci0000:00/0000:00:1c.4/0000:04:00.0/0000:05:02.0/0000:3a:00.0",
    "devices/pci0000:00/0000:00:1c.4/00.0/02.0/00.0",
  ],
] as const) {
  test(`the place of ${path} has no number of a bus behind a bridge`, () =>
    assert.equal(placeOf(path), place));
}

test("a device has its nodes of these subsystems, and no others", async () => {
  await using usb = await fakeUsb();
  const nodes = { usb: "bus/usb/001/002", hidraw: "hidraw0", input: "input/event3", usbmisc: "usb/hiddev0" };
  for (const [subsystem, node] of Object.entries(nodes)) await usb.plugPart(3, { subsystem, node });
  assert.deepEqual(Object.keys(await usbNodes(`${controller}/usb1/1-3`, usb.sys)), [
    "/dev/bus/usb/001/002",
    "/dev/hidraw0",
  ]);
});

for (const [below, isIn] of [
  ["usb1/1-1", true],
  ["usb2/2-8/extra-parts", true],
  ["usb1/1-1/1-1.2/1-1.2:1.0/ttyUSB0/tty/ttyUSB0", true],
  ["usb10/10-12/10-12:1.0", true],
  ["usb1/1-0:1.0", false],
  ["usb1/2-1", false],
  ["usb11/1-1", false],
  ["usb1/", false],
  ["usb1", false],
  ["ata1/host0/target0:0:0", false],
] as const) {
  test(`${below} is in ${isIn ? "a" : "no"} port`, () =>
    assert.equal(isInPort(`/${controller}/${below}`), isIn));
}

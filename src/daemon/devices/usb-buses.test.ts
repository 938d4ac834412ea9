import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fakeUsb } from "../../../test/support/fake-usb.ts";
import { findUsbBuses, folderOfPort, isInPort, portCount, type UsbBus } from "./usb-buses.ts";
import { usbNodes } from "./usb-nodes.ts";

const controller = "devices/pci0000:00/0000:00:01.0";
const buses: readonly UsbBus[] = [
  { path: `${controller}/usb1`, bus: 1, usbVersion: 2, ports: 8, firstPort: 1 },
  { path: `${controller}/usb2`, bus: 2, usbVersion: 3, ports: 8, firstPort: 9 },
];

test("a controller is found by its class, its ports by its root hubs", async () => {
  await using usb = await fakeUsb();
  assert.deepEqual(await findUsbBuses(usb.sys), buses);
  assert.equal(portCount(buses), 16);
  assert.deepEqual(await findUsbBuses("/nowhere"), []);
});

test("the ports of other controllers are numbered after those of the first", async () => {
  await using usb = await fakeUsb();
  const second = await usb.addController("0000:04:00.3", { usb3: ["0002", 4], usb4: ["0003", 2] });
  const third = await usb.addController("0000:00:00.1", { usb5: ["0002", 3] });
  const found = await findUsbBuses(usb.sys);
  assert.deepEqual(found.slice(0, 2), buses);
  assert.deepEqual(
    found.slice(2).map(({ path, usbVersion, firstPort }) => [path, usbVersion, firstPort]),
    [
      [`${second}/usb3`, 2, 17],
      [`${second}/usb4`, 3, 21],
      // With one hub it comes last, so that the others keep their numbers.
      [`${third}/usb5`, 2, 23],
    ],
  );
  assert.equal(portCount(found), 25);
  assert.equal(folderOfPort(found, 25), `${third}/usb5/5-3`);
  await rm(join(usb.sys, second), { recursive: true });
  assert.equal(portCount(await findUsbBuses(usb.sys)), 19);
});

test("a device has its nodes of these subsystems, and no others", async () => {
  await using usb = await fakeUsb();
  const nodes = { usb: "bus/usb/001/002", hidraw: "hidraw0", input: "input/event3", usbmisc: "usb/hiddev0" };
  for (const [subsystem, node] of Object.entries(nodes)) await usb.plugPart(3, { subsystem, node });
  assert.deepEqual(Object.keys(await usbNodes(await findUsbBuses(usb.sys), 3, usb.sys)), [
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

test("each port has a folder", () => {
  assert.equal(folderOfPort(buses, 8), `${controller}/usb1/1-8`);
  assert.equal(folderOfPort(buses, 9), `${controller}/usb2/2-1`);
  for (const none of [0, 17, -1]) assert.equal(folderOfPort(buses, none), undefined);
});

import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fakeUsb } from "../../../test/support/fake-usb.ts";
import { findUsbController, folderOfPort, portOf, type UsbController } from "./usb-controller.ts";

const controller: UsbController = {
  path: "devices/pci0000:00/0000:00:01.0",
  buses: [
    { bus: 1, ports: 8, firstPort: 1 },
    { bus: 2, ports: 8, firstPort: 9 },
  ],
  ports: 16,
};

test("a controller is found by its class and its two root hubs", async () => {
  await using usb = await fakeUsb();
  assert.deepEqual(await findUsbController(usb.sys), controller);
  await rm(join(usb.sys, controller.path, "usb2"), { recursive: true });
  assert.equal(await findUsbController(usb.sys), undefined);
  assert.equal(await findUsbController("/nowhere"), undefined);
});

for (const [below, port] of [
  ["usb1/1-1", 1],
  ["usb2/2-1", 9],
  ["usb2/2-8/extra-parts", 16],
  ["usb1/1-1/1-1.2/1-1.2:1.0/ttyUSB0/tty/ttyUSB0", 1],
  ["usb1/1-1.2", 1],
  ["usb1/1-9", undefined],
  ["usb3/3-1", undefined],
  ["usb1/", undefined],
  ["usb1", undefined],
  ["usb1/1-0:1.0", undefined],
  ["usb1/2-1", undefined],
] as const) {
  test(`${below} is on ${port ? `port ${port}` : "no port"}`, () => {
    assert.equal(portOf(controller, `/${controller.path}/${below}`), port);
    assert.equal(portOf(controller, `${controller.path}/${below}`), port);
    assert.equal(portOf(controller, `/devices/pci0000:00/0000:00:02.0/${below}`), undefined);
  });
}

test("numbers with many digits are parsed whole", () => {
  const large = { ...controller, buses: [{ bus: 10, ports: 15, firstPort: 1 }] };
  assert.equal(portOf(large, `${controller.path}/usb10/10-12`), 12);
});

test("each port has a folder", () => {
  assert.equal(folderOfPort(controller, 8), `${controller.path}/usb1/1-8`);
  assert.equal(folderOfPort(controller, 9), `${controller.path}/usb2/2-1`);
  for (const none of [0, 17, -1]) assert.equal(folderOfPort(controller, none), undefined);
});

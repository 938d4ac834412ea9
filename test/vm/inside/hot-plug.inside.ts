import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { type Monitor, openMonitor } from "../support/qmp.ts";

let monitor: Monitor;

before(async () => {
  monitor = await openMonitor();
});
after(() => monitor[Symbol.dispose]());

test("the guest plugs in a serial adapter by itself and sees it", async () => {
  const options = {
    driver: "usb-serial",
    id: "one",
    bus: "xhci.0",
    port: "1",
    chardev: "serial",
    serial: "SN1",
  };
  await monitor.run("device_add", { ...options, "always-plugged": true });
  const serial = () => readFile("/sys/bus/usb/devices/1-1/serial", "utf8").catch(() => undefined);
  assert.equal((await eventually("the device", serial)).trim(), "SN1");
  await monitor.run("device_del", { id: "one" });
  await eventually("the end of it", async () => ((await serial()) === undefined ? true : undefined));
});

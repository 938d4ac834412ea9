import assert from "node:assert/strict";
import { test } from "node:test";
import { withUsb } from "./usb-mark.ts";

const node = (path: string) => ({ type: "unix-char", path });
const marked = (path: string) => ({ ...node(path), "user.tremplin": "usb" });

test("USB devices are replaced as a whole, and other devices stay", () => {
  const disk = { type: "disk", path: "/", pool: "default" };
  const before = { root: disk, "/dev/a": marked("/dev/a"), "/dev/mine": node("/dev/mine") };
  const after = withUsb(before, { "/dev/b": node("/dev/b") });
  assert.deepEqual(after, { root: disk, "/dev/mine": node("/dev/mine"), "/dev/b": marked("/dev/b") });
  assert.deepEqual(withUsb(after, {}), { root: disk, "/dev/mine": node("/dev/mine") });
});

test("a person's device keeps its path, whatever its name", () => {
  const before = { serial: node("/dev/ttyUSB0"), "/dev/sda": { type: "unix-block" } };
  const nodes = { "/dev/ttyUSB0": node("/dev/ttyUSB0"), "/dev/sda": node("/dev/sda") };
  assert.deepEqual(withUsb(before, nodes), before);
});

test("settings that a person made of a USB device stay while it is plugged in", () => {
  const found = { ...marked("/dev/a"), major: "1", minor: "2", mode: "0660", gid: "20" };
  const plugged = { ...node("/dev/a"), major: "1", minor: "3", mode: "0666" };
  assert.deepEqual(withUsb({ "/dev/a": found }, { "/dev/a": plugged }), {
    "/dev/a": { ...found, minor: "3" },
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("usb lists the ports with their containers and devices, also behind hubs", async (t) => {
  const at = await CommandLineFixture.open(t);
  const { stdout } = await at.output("usb");
  assert.deepEqual(stdout.split("\n"), [
    "PORT  KIND   CONTAINER  PLUGGED IN",
    "1     USB 2  -          Maker Hub (0409:55aa, 480 Mbit/s)",
    "                          Stick (46f4:0001, 12 Mbit/s)",
    "2     USB 3  -          -",
    "",
  ]);
  assert.equal(JSON.parse((await at.output("usb list --json")).stdout).ports.length, 2);
});

test("a port is attached to a container and detached", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  assert.equal((await at.output("usb attach web 1")).stdout, "USB port 1 is attached to web\n");
  assert.match((await at.output("usb")).stdout, /^1 +USB 2 +web /m);
  assert.equal((await at.output("usb detach 1")).stdout, "USB port 1 is detached\n");
  assert.equal((await at.output("usb attach nobody 1")).code, 3);
  const wrong = await at.output("usb attach web 9");
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /attaching port 9 to web was refused: there is no USB port 9/);
  assert.equal((await at.output("usb attach web one")).code, 2);
});

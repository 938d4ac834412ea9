import assert from "node:assert/strict";
import { test } from "node:test";
import { crostini } from "../sites/crostini.ts";
import { scanDevices } from "./scan-devices.ts";

test("patterns select device nodes, never folders or links", async () => {
  const here = { kind: "unix", path: "/run/engine.sock" } as const;
  const found = await scanDevices(here, ["^null$", "^ze.*$", "^fd$", "^stdin$"]);
  assert.deepEqual(Object.keys(found), ["/dev/null", "/dev/zero"]);
  assert.deepEqual(await scanDevices(here, []), {});
  const elsewhere = { kind: "https", host: "far", port: 8443, cert: "", key: "" } as const;
  assert.deepEqual(await scanDevices(elsewhere, ["^null$"]), {});
});

test("the crostini patterns distinguish playback from capture devices", () => {
  const { devicePatterns } = crostini.profile;
  const matches = (name: string) => devicePatterns.some((pattern) => new RegExp(pattern).test(name));
  const inProfile = [
    "dri/card0",
    "snd/seq",
    "snd/timer",
    "snd/controlC0",
    "snd/pcmC0D0p",
    "kmsg",
    "kvm",
    "wl0",
  ];
  const notThere = ["snd/pcmC0D0c", "null", "kvmx", "xkmsg", "bus/usb/001/001"];
  assert.deepEqual(inProfile.filter(matches), inProfile);
  assert.deepEqual(notThere.filter(matches), []);
  const microphone = new RegExp(crostini.microphone ?? "");
  for (const name of ["snd/pcmC0D0c", "snd/pcmC10D12c"]) assert.match(name, microphone);
  for (const name of ["snd/pcmC0D0p", "x/snd/pcmC0D0c", "snd/pcmC0D0cc"])
    assert.doesNotMatch(name, microphone);
});

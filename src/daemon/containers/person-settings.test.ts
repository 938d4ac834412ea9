import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { withCode } from "../../../test/support/with-code.ts";
import { checkSettings, readSettings, sizeInBytes, withSettings } from "./person-settings.ts";

const root = { type: "disk", path: "/", pool: "default" };
const instance = {
  architecture: "x86_64",
  config: { "user.note": "mine" },
  devices: {},
  ephemeral: false,
  profiles: ["default"],
  stateful: false,
  description: "",
};

/** The settings after a change, read as the engine has them. */
function after(wanted: Record<string, string>, before = instance) {
  const changed = withSettings(before, checkSettings(wanted), { root });
  const devices = { root, ...changed.devices };
  return {
    changed,
    read: readSettings({ ...changed, expanded_config: changed.config, expanded_devices: devices }, "off"),
  };
}

test("what is set is what is read", () => {
  const { changed, read } = after({ cpu: "2", memory: "2g", disk: "20GiB", autostart: "on" });
  assert.deepEqual(read, { cpu: "2", memory: "2GiB", disk: "20GiB", autostart: "on" });
  assert.deepEqual(changed.config, {
    "user.note": "mine",
    "limits.cpu": "2",
    "limits.memory": "2GiB",
    "boot.autostart": "true",
  });
  assert.deepEqual(changed.devices, { root: { ...root, size: "20GiB" } });
});

test("unlimited and off remove them again", () => {
  const { changed } = after({ cpu: "2", memory: "2GiB", disk: "20GiB" });
  const { read } = after(
    { cpu: "unlimited", memory: "unlimited", disk: "unlimited", autostart: "off" },
    changed as typeof instance,
  );
  assert.deepEqual(read, { cpu: "unlimited", memory: "unlimited", disk: "unlimited", autostart: "off" });
});

test("last is what holds where neither the container nor a profile of a person says otherwise", () => {
  const { changed, read } = after({ autostart: "last" });
  assert.equal(read.autostart, "last");
  assert.deepEqual(changed.config, {
    "user.note": "mine",
    "boot.autostart": "false",
    "user.tremplin.autostart": "last",
  });
  const back = after({ autostart: "off" }, changed as typeof instance);
  assert.deepEqual([back.read.autostart, back.changed.config["user.tremplin.autostart"]], ["off", undefined]);
});

test("names and values that do not exist are refused with what is possible", () => {
  const wrong = [
    "0",
    "-1",
    "1.5",
    "2x",
    "",
    "9999",
    "GiB",
    "1e3",
    "0GiB",
    "1MiB",
    "99999999GiB",
    "x\n",
    "on ",
  ];
  for (const value of wrong) {
    for (const name of ["cpu", "memory", "disk", "autostart"]) {
      assert.throws(() => checkSettings({ [name]: value }), withCode("invalid"), `${name}=${value}`);
    }
  }
  assert.throws(() => checkSettings({ constructor: "2" }), /there are cpu, memory, disk, autostart/);
  assert.throws(() => checkSettings({}), withCode("invalid"));
});

test("any value is refused or becomes the same number for the engine", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 64, max: 4096 }),
      fc.constantFrom("M", "MiB", "m", "mib"),
      (count, unit) => {
        assert.equal(sizeInBytes("memory", `${count}${unit}`), count * 2 ** 20);
      },
    ),
  );
  fc.assert(
    fc.property(fc.constantFrom("cpu", "memory", "disk", "autostart"), fc.string(), (name, value) => {
      try {
        checkSettings({ [name]: value });
      } catch (error) {
        assert.ok(withCode("invalid")(error));
      }
    }),
  );
});

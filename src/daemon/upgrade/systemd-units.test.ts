import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseUnits } from "./systemd-units.ts";

const block = (name: string, state: string, file: string, load = "loaded", condition = "yes", at = "77") =>
  `Id=${name}\nLoadState=${load}\nActiveState=${state}\nUnitFileState=${file}\nConditionResult=${condition}\nConditionTimestampMonotonic=${at}\n`;

test("units are parsed from blocks of properties, in any order and with others among them", () => {
  const text = [
    block("nginx.service", "active", "enabled"),
    block("old.service", "inactive", "", "not-found"),
    block("postfix.service", "failed", "generated", "loaded", "no"),
    block("waiting.service", "inactive", "enabled", "loaded", "no", "0"),
    "Description=a = b\nActiveState=active\nId=dbus.service\nUnitFileState=static\n",
  ].join("\n");
  assert.deepEqual(
    parseUnits(text).map((unit) => Object.values(unit)),
    [
      ["nginx.service", "active", true, true, true],
      ["old.service", "inactive", false, false, true],
      ["postfix.service", "failed", true, true, false],
      ["waiting.service", "inactive", true, true, true],
      ["dbus.service", "active", false, true, true],
    ],
  );
});

test("any text gives units with plain names", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("I", "d", "=", "\n", "a", " ", "\x1b") }), (text) => {
      for (const { name } of parseUnits(text)) assert.match(name, /^[\x21-\x7e]+$/);
    }),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { findDoasRule, findSudoRule } from "./root-access.ts";

const anna = { name: "anna", groups: ["anna", "sudo"], hasPassword: false };

for (const [text, rule] of [
  ["", undefined],
  ["root ALL=(ALL:ALL) ALL", undefined],
  ["%wheel ALL=(ALL) NOPASSWD: ALL", undefined],
  ["# %sudo ALL=(ALL:ALL) ALL", undefined],
  ["%sudo   ALL=(ALL:ALL) ALL", "password"],
  ["%sudo\tALL = NOPASSWD: ALL\r", "free"],
  ["bob, %sudo ALL=(ALL) NOPASSWD:ALL", "free"],
  ["anna ALL=(ALL) ALL", "password"],
  ["annabel ALL=(ALL) ALL", undefined],
  ["ALL ALL=(ALL) ALL", "password"],
  ["User_Alias PEOPLE = anna, bob", undefined],
  ["PEOPLE ALL=(ALL) ALL", "password"],
  ["#1000 ALL=(ALL) NOPASSWD: ALL", "free"],
  ["%sudo \\\n ALL=(ALL) \\\n NOPASSWD: ALL", "free"],
  ["%sudo ALL=(ALL) NOPASSWD: ALL\n%sudo ALL=(ALL) ALL", "password"],
  ['Defaults !authenticate\nDefaults secure_path="/bin=x"\n%sudo ALL=(ALL) ALL', "free"],
  ["Defaults env_reset\n@includedir /etc/sudoers.d\njunk\n= = =\n%sudo", undefined],
] as const) {
  test(`sudo: ${JSON.stringify(text)} gives ${rule}`, () => assert.equal(findSudoRule(text, anna), rule));
}

for (const [text, rule] of [
  ["", undefined],
  ["permit :wheel", undefined],
  ["# permit nopass :sudo", undefined],
  ["permit persist :sudo", "password"],
  ["permit nopass keepenv :sudo as root # all", "free"],
  ["permit nopass anna cmd reboot", "free"],
  ["permit setenv { A=b } anna\r", "password"],
  ["permit nopass bob", undefined],
  ["permit nopass anna\ndeny anna", undefined],
  ["junk\npermit\npermit as root", undefined],
] as const) {
  test(`doas: ${JSON.stringify(text)} gives ${rule}`, () => assert.equal(findDoasRule(text, anna), rule));
}

for (const filling of [" ", "#", "=", "\\\n", "a ", "Defaults", "%sudo ", ","]) {
  test(`rules of 1 MB of ${JSON.stringify(filling)} are read in time`, () => {
    const text = filling.repeat(1_000_000 / filling.length);
    inLinearTime(() => [findSudoRule(text, anna), findDoasRule(text, anna)]);
  });
}

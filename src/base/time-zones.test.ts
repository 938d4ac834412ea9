import assert from "node:assert/strict";
import { test } from "node:test";
import { checkTimeZoneName, otherNamesOfZone } from "./time-zones.ts";

const invalid = { name: "TremplinError", code: "invalid" };

test("every zone that Node knows has a valid name", () => {
  const zones = Intl.supportedValuesOf("timeZone");
  assert.ok(zones.length > 300);
  for (const zone of zones) checkTimeZoneName(zone);
});

for (const good of ["UTC", "Etc/GMT+8", "America/Argentina/ComodRivadavia", "GB-Eire", "EST5EDT"]) {
  test(`${good} is a valid name`, () => checkTimeZoneName(good));
}

for (const bad of [
  "",
  "/etc/passwd",
  "../../etc/passwd",
  "Europe/../x",
  "Europe/",
  "Europe//Berlin",
  "-h",
  "a b",
  "UTC\n",
  "Ä",
  "Europe/Berlin;x",
  "a".repeat(65),
  "localtime",
  "posixrules",
  "leapseconds",
  "posix/UTC",
  "right/Europe/Berlin",
  "posix",
  "Factory",
  "Etc/Unknown",
  "CET-1CEST,M3.5.0,M10.5.0/3",
  ":Europe/Berlin",
]) {
  test(`${JSON.stringify(bad.slice(0, 20))} is not a valid name`, () =>
    assert.throws(() => checkTimeZoneName(bad), invalid));
}

const database = `# version 2025b
R d 1916 o - Jun 14 23s 1 S
L Asia/Kolkata Asia/Calcutta
L Europe/Kyiv Europe/Kiev
L Europe/Kyiv Europe/Zaporozhye
Link America/Argentina/Buenos_Aires America/Buenos_Aires
L Etc/UTC Zulu
L one two
L two one
L Etc/UTC ../../etc/passwd
`;

for (const [name, others] of [
  ["Asia/Calcutta", ["Asia/Kolkata"]],
  ["Asia/Kolkata", ["Asia/Calcutta"]],
  ["Europe/Kiev", ["Europe/Kyiv", "Europe/Zaporozhye"]],
  ["Europe/Kyiv", ["Europe/Kiev", "Europe/Zaporozhye"]],
  ["America/Buenos_Aires", ["America/Argentina/Buenos_Aires"]],
  ["Etc/UTC", ["Zulu"]],
  ["Europe/Berlin", []],
] as const) {
  test(`${name} has the other names ${others.join() || "of none"}`, () => {
    assert.deepEqual(otherNamesOfZone(name, database), others);
  });
}

test("a loop of links in a database ends", () => assert.ok(otherNamesOfZone("one", database).length <= 2));

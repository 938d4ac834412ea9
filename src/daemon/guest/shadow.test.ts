import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountFile } from "./account-file.ts";
import { shadow } from "./shadow.ts";

function read(text: string) {
  return new AccountFile(shadow, Buffer.from(text));
}

test("the nine fields are read, and what is not set is undefined", () => {
  assert.deepEqual(read("root:*:17756:0:99999:7:::\n").named("root"), {
    name: "root",
    password: "*",
    lastChange: 17756n,
    minimum: 0n,
    maximum: 99999n,
    warn: 7n,
    inactive: undefined,
    expire: undefined,
    reserved: "",
  });
});

test("an entry is written as a line", () => {
  const line = "testuser:!:17814:0:99999:7:::\n";
  const entry = read(line).named("testuser");
  const file = read("");
  assert.ok(entry);
  file.append(entry);
  assert.equal(Buffer.from(file.toBytes()).toString(), line);
});

test("numbers may have 64 bits", () => {
  assert.equal(read("a:!:18446744073709551615::::::").named("a")?.lastChange, 2n ** 64n - 1n);
});

for (const bad of ["-1", "18446744073709551616", "1".repeat(10_000), "x", " 1"]) {
  test(`a last change of ${bad.slice(0, 30)} is refused`, () => {
    assert.throws(() => read(`a:!:${bad}::::::`), /line 1 of \/etc\/shadow .*the day of the last change/);
  });
}

test("a password that slipped into a wrong field is not told", () => {
  assert.throws(
    () => read("a:$6$secret:$6$secret::::::"),
    (error: Error) => !error.message.includes("secret"),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { failsAsBefore, hasNothingToDo, lockLine } from "./package-program.ts";

for (const line of [
  "E: Could not get lock /var/lib/dpkg/lock - open (11: Resource temporarily unavailable)",
  "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 123 (unattended-upgr)",
  "E: Could not get lock /var/lib/apt/lists/lock - open (11: Resource temporarily unavailable)",
  "E: Could not get lock /var/cache/apt/archives/lock. It is held by process 7 (apt-get)",
  "dpkg: error: dpkg frontend lock was locked by another process with pid 77",
  "dpkg: error: dpkg status database is locked by another process",
  'debconf: DbDriver "config": /var/cache/debconf/config.dat is locked by another process: Resource temporarily unavailable',
]) {
  test(`a lock of another program: ${line}`, () => assert.equal(lockLine(["Reading ...", line]), line));
}

test("a lock that cannot be opened is no reason to wait", () => {
  const lines = [
    "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (30: Read-only file system)",
    "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?",
  ];
  assert.equal(lockLine(lines), undefined);
});

const health = { brokenPackages: new Set(["tool", "other"]) };
const failure = (...names: string[]) => ({
  exitCode: 100,
  lastLines: [
    "dpkg: error processing package tool (--configure):",
    "Errors were encountered while processing:",
    ...names.map((name) => ` ${name}`),
    "E: Sub-process /usr/bin/dpkg returned an error code (1)",
  ],
});

test("a failure on packages that were broken before does not count, any other does", () => {
  assert.equal(failsAsBefore(failure("tool"), health), true);
  assert.equal(failsAsBefore(failure("tool", "other:amd64"), health), true);
  assert.equal(failsAsBefore(failure("tool", "new"), health), false);
  assert.equal(failsAsBefore(failure(), health), false);
  const { lastLines } = failure("tool");
  const fetching = { exitCode: 100, lastLines: ["E: Failed to fetch http://m/x.deb  404", ...lastLines] };
  assert.equal(failsAsBefore(fetching, health), false);
  assert.equal(failsAsBefore({ exitCode: 100, lastLines: ["E: Unmet dependencies."] }, health), false);
});

test("a plan that changes nothing is recognized in the words of each apt", () => {
  const lines = (line: string) => ({ exitCode: 100, lastLines: [line] });
  assert.ok(hasNothingToDo(lines("0 upgraded, 0 newly installed, 0 to remove and 3 not upgraded.")));
  assert.ok(hasNothingToDo(lines("  Upgrading: 0, Installing: 0, Removing: 0, Not Upgrading: 3")));
  assert.ok(!hasNothingToDo(lines("10 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.")));
  assert.ok(!hasNothingToDo(lines("  Upgrading: 10, Installing: 0, Removing: 0, Not Upgrading: 3")));
});

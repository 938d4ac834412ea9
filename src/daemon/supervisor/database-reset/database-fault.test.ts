import assert from "node:assert/strict";
import { test } from "node:test";
import { findDatabaseFault } from "./database-fault.ts";

/** The first four and "Missing updates" are what LXD 5.0.2 said of files that were harmed; the rest is put together from errno words. */
const words: readonly [said: string, isFixed: boolean | undefined][] = [
  ["Error: Error creating database: Failed to begin transaction: file is not a database", true],
  ["Error: Error creating database: Failed to begin transaction: database disk image is malformed", true],
  ["Error: Failed to start dqlite server: raft_bootstrap(): ", true],
  [
    "Error: Failed to start dqlite server: raft_start(): io: load closed segment 0000000000000001-0000000000000001: unexpected format version 148",
    true,
  ],
  ["Error: Failed to start dqlite server: raft_start(): io: no space left on device", false],
  ["Error: Error creating database: Missing updates: 42 to 9999", false],
  [
    "Error: Error creating database: Failed to begin transaction: unable to open database file: permission denied",
    false,
  ],
  ["Error: Failed to start dqlite server: raft_start(): io: read: Input/output error", false],
  ['time="t" level=warning msg="Failed enabling VLAN filtering: permission denied"', undefined],
  ["Error: LXD is already running", undefined],
];

for (const [said, isFixed] of words) {
  test(`${said.slice(0, 60)}: ${isFixed === undefined ? "not its database" : isFixed ? "a reset fixes it" : "a sentence"}`, () => {
    const fault = findDatabaseFault(`time="t" level=warning msg="AppArmor"\n${said}`);
    assert.equal(fault?.isFixedByReset, isFixed);
    if (isFixed === false)
      assert.match(fault?.sentence ?? "", /: (make room|see who|it may be|install that)/);
  });
}

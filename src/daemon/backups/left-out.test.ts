import assert from "node:assert/strict";
import { test } from "node:test";
import { LeftOut } from "./left-out.ts";

function remarkOn(...lines: readonly string[]): string {
  const leftOut = new LeftOut();
  for (const line of lines) assert.ok(leftOut.consumeLine(line), line);
  return leftOut.remark();
}

test("sockets and files that vanish are nothing to remark on", () => {
  const lines = ["tar: ./run/socket: socket ignored", "tar: ./tmp/a: File removed before we read it"];
  assert.equal(remarkOn(...lines), "");
});

test("what cannot be read is counted and named, with the reason", () => {
  const denied = (name: string): string => `tar: ./${name}: Warning: Cannot open: Permission denied`;
  assert.equal(
    remarkOn(denied("srv/secret")),
    "the backup is not complete: 1 file or folder left out (permission is denied: their owner is outside of the container's ids): /srv/secret",
  );
  assert.match(
    remarkOn(...["a", "b", "c: d", "e", "f"].map(denied)),
    /: 5 files or folders left out \(permission .*\): \/a, \/b, \/c: d and 2 more$/,
  );
});

test("files that fail, shrink or change are distinguished", () => {
  assert.equal(
    remarkOn(
      "tar: ./a: Warning: Read error at byte 4096, while reading 512 bytes: Input/output error",
      "tar: ./b: File shrank by 12 bytes; padding with zeros",
      "tar: ./c: file changed as we read it",
      "tar: ./d: Warning: Cannot llistxattr: Operation not supported",
    ),
    "the backup is not complete: 2 files or folders only in part, the rest as zeros (their disk fails, see dmesg): /a, /b; " +
      "1 file or folder changed while they were read, and perhaps inconsistent: /c; " +
      '1 file or folder without some of their attributes (the system says "Operation not supported"): /d',
  );
});

test("other errors of tar are not taken for such a message", () => {
  const leftOut = new LeftOut();
  for (const line of [
    "tar: -: Cannot write: Broken pipe",
    "tar: .: Warning: Cannot open: Permission denied",
  ]) {
    assert.equal(leftOut.consumeLine(line), false, line);
  }
});

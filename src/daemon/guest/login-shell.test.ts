import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { parseShells } from "./login-shell.ts";

test("the shells are the lines with a path, whatever else people write", () => {
  const text = [
    "# /etc/shells: valid login shells",
    "",
    "/bin/sh",
    "  /bin/bash\r",
    "/usr/bin/zsh # of anna",
    "#/bin/old",
    "bash",
    "/bin/a b",
    "/bin/a:b",
    "/bin/a\0b",
    "/bin/\xe4",
    "/usr/sbin/nologin",
    "/usr/bin/git-shell",
    "/bin/rbash",
    `/${"x".repeat(300)}`,
    "/bin/last",
  ].join("\n");
  assert.deepEqual(parseShells(Buffer.from(text, "latin1")), [
    "/bin/sh",
    "/bin/bash",
    "/usr/bin/zsh",
    "/bin/last",
  ]);
});

test("any bytes give paths that can stand in passwd", () => {
  const piece = fc.constantFrom("/", ":", "\n", "\r", "#", " ", "\0", "\xff", "bin", "sh");
  const content = fc.oneof(
    fc.uint8Array(),
    fc.array(piece).map((all) => Buffer.from(all.join(""), "latin1")),
  );
  fc.assert(
    fc.property(content, (bytes) => {
      for (const path of parseShells(bytes)) assert.match(path, /^\/[!-9;-~]+$/);
    }),
  );
});

for (const filling of ["/", "#", " ", "\n", "/a\n"]) {
  test(`1 MB of ${JSON.stringify(filling)} is parsed in time`, () => {
    const content = Buffer.alloc(1_000_000, filling);
    assert.ok(inLinearTime(() => parseShells(content)).length <= 64);
  });
}

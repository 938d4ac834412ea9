import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TremplinError } from "../../base/tremplin-error.ts";
import { parseListing } from "./tar-member.ts";

const lines: readonly [line: string, member: object | string][] = [
  [
    'block 2: -rw-r--r-- 0/0             462 2026-11-26 20:33 "metadata.yaml"',
    { type: "-", name: "metadata.yaml", size: 462 },
  ],
  [
    'block 2: lrwxrwxrwx 100000/65534 0 2026-11-26 20:32 "rootfs/bin" -> "usr/bin"',
    { type: "l", name: "rootfs/bin", size: 0, target: "usr/bin" },
  ],
  [
    'block 9: hrw-r--r-- 0/0 0 1970-01-01 00:00 "rootfs/a b" link to "rootfs/\\"q\\\\"',
    { type: "h", name: "rootfs/a b", size: 0, target: 'rootfs/"q\\' },
  ],
  [
    'block 1: crw-rw-rw- 0/5 1,3 2023-11-14 22:13:20 "rootfs/dev/null"',
    {
      type: "c",
      name: "rootfs/dev/null",
      device: "1,3",
      attributes: { mode: 0o666, uid: 0, gid: 5, modifiedAt: 1_700_000_000_000 },
    },
  ],
  [
    'block 1: brwSr-s--T+ 7/0             7,0 2023-11-14 22:13:20.123456789 "rootfs/loop"',
    {
      type: "b",
      name: "rootfs/loop",
      device: "7,0",
      attributes: { mode: 0o7650, uid: 7, gid: 0, modifiedAt: 1_700_000_000_123 },
    },
  ],
  [
    'block 1: -rw-r--r-- 0/0 3 2023-11-14 22:13 "rootfs/\\303\\244\\n\\t"',
    { type: "-", name: "rootfs/\xc3\xa4\n\t", size: 3 },
  ],
  [
    "block 1: ?rw-r--r-- 0/0 0 2023-11-14 22:13 \"rootfs/x\" unknown file type 'Z'",
    { type: "other", name: "rootfs/x", size: 0 },
  ],
  ["block 7: ** Block of NULs **", "end"],
  ["block 7: ** End of File **", "cut"],
  ['block 0: V--------- 0/0 0 2026-11-30 02:22 "a label"--Volume Header--', "label"],
];

for (const [line, member] of lines) {
  test(`a line of the listing: ${line}`, () => assert.deepEqual(parseListing(line), member));
}

/** As GNU tar writes a name in C quotes: bytes that are no printable ASCII in octal. */
function quoted(bytes: Uint8Array): string {
  const text = [...bytes].map((byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
    return `\\${byte.toString(8).padStart(3, "0")}`;
  });
  return `"${text.join("")}"`;
}

test("every name and target is decoded byte for byte", () => {
  const bytes = fc.uint8Array({ min: 1, minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(bytes, bytes, (name, target) => {
      const line = `block 3: lrwxrwxrwx 0/0 0 2026-11-26 20:32 ${quoted(name)} -> ${quoted(target)}`;
      const latin1 = (each: Uint8Array): string => Buffer.from(each).toString("latin1");
      assert.deepEqual(parseListing(line), {
        type: "l",
        name: latin1(name),
        size: 0,
        target: latin1(target),
      });
    }),
  );
});

test("any other text is refused with a TremplinError", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      try {
        const member = parseListing(text);
        assert.ok(typeof member === "string" || text.startsWith("block "));
      } catch (error) {
        assert.ok(error instanceof TremplinError);
      }
    }),
  );
});

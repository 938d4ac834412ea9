import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { AccountFile, type AccountFormat } from "./account-file.ts";
import { group, gshadow, passwd, shadow } from "./account-formats.ts";
import { decodeLatin1, encodeLatin1 } from "./lossless-text.ts";

const field = fc.string({ unit: fc.constantFrom(..."az09-_,. /\0\x7f\xa0\xc3\xff") });
const name = fc.stringMatching(/^[A-Za-z_\x80-\xff][A-Za-z0-9_.\x80-\xff-]{0,8}$/);
const names = fc.array(name, { maxLength: 3 }).map((all) => all.join(","));
const id = fc.nat({ max: 0xffffffff }).map(String);
const count = fc.oneof(fc.constant(""), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String));

const formats: [AccountFormat<{ name: string }>, fc.Arbitrary<string>][] = [
  [passwd as AccountFormat<{ name: string }>, lineOf(name, field, id, id, field, field, field)],
  [
    shadow as AccountFormat<{ name: string }>,
    lineOf(name, field, count, count, count, count, count, count, field),
  ],
  [group as AccountFormat<{ name: string }>, lineOf(name, field, id, names)],
  [gshadow as AccountFormat<{ name: string }>, lineOf(name, field, names, names)],
];

function lineOf(...fields: fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.tuple(...fields).map((all) => all.join(":"));
}

/** What stands between the entries, and is to stay. */
const other = fc.constantFrom("", "  ", "\t\r", "# comment", "#:::", "+", "+::::::", "-@banned::::::", " +x");
const padding = fc.constantFrom("", " ", "\t", "\r");
const ending = fc.constantFrom("", "\n", "\n\n");

for (const [format, entryLine] of formats) {
  const line = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(padding, entryLine, padding).map((all) => all.join("")) },
    other,
  );
  const content = fc
    .tuple(fc.array(line), ending)
    .map(([lines, end]) => encodeLatin1(lines.join("\n") + end));

  test(`${format.path} is written back byte for byte if nothing changes`, () => {
    fc.assert(
      fc.property(content, (bytes) =>
        assert.deepEqual([...new AccountFile(format, bytes).toBytes()], [...bytes]),
      ),
    );
  });

  test(`${format.path} keeps every other line when one is added and one is replaced`, () => {
    fc.assert(
      fc.property(content, entryLine, (bytes, added) => {
        const file = new AccountFile(format, bytes);
        const [entry] = new AccountFile(format, encodeLatin1(added)).entries;
        assert.ok(entry);
        file.append(entry);
        assert.deepEqual(new AccountFile(format, file.toBytes()).entries, file.entries);
        const withEntry = decodeLatin1(file.toBytes());
        const same = { ...entry };
        file.replace(entry, same);
        assert.equal(decodeLatin1(file.toBytes()), withEntry);
        const before = decodeLatin1(bytes);
        const line = `${format.write(entry).join(":")}\n`;
        const at = withEntry.lastIndexOf(line);
        const without = withEntry.slice(0, at) + withEntry.slice(at + line.length);
        assert.ok(at >= 0 && [before, `${before}\n`].includes(without));
      }),
    );
  });

  test(`${format.path} of any bytes is parsed or refused with a TremplinError`, () => {
    const piece = fc.constantFrom(
      ":",
      ":",
      ":",
      ",",
      "\n",
      "a",
      "0",
      "-1",
      "99999999999",
      "+",
      "#",
      " ",
      "\0",
      "\xff",
    );
    const any = fc.oneof(
      fc.uint8Array(),
      fc.array(piece).map((all) => encodeLatin1(all.join(""))),
    );
    fc.assert(
      fc.property(any, (bytes) => {
        try {
          assert.deepEqual([...new AccountFile(format, bytes).toBytes()], [...bytes]);
        } catch (error) {
          assert.ok(error instanceof TremplinError, String(error));
        }
      }),
    );
  });

  for (const filling of [":", ",", "\n", " ", "1", "+\n", "a:b:c\n"]) {
    test(`${format.path} of 1 MB of ${JSON.stringify(filling)} is parsed or refused in time`, () => {
      for (const content of [filling, `a${filling}`].map((text) => Buffer.alloc(1_000_000, text))) {
        try {
          assert.equal(inLinearTime(() => new AccountFile(format, content)).entries.length, 0);
        } catch (error) {
          assert.ok(error instanceof TremplinError, String(error));
          assert.ok(error.message.length < 300);
        }
      }
    });
  }
}

test("a new line goes before lines for NIS, and after a last line without a line feed", () => {
  const root = { name: "root", password: "!", administrators: [], members: [] };
  const written = ["", "a:!::", "a:!::\n", "a:!::\n\n", "+:::\n", "a:!::\n+@x\n# end"].map((text) => {
    const file = new AccountFile(gshadow, Buffer.from(text));
    file.append(root);
    return Buffer.from(file.toBytes()).toString();
  });
  assert.deepEqual(written, [
    "root:!::\n",
    "a:!::\nroot:!::\n",
    "a:!::\nroot:!::\n",
    "a:!::\n\nroot:!::\n",
    "root:!::\n+:::\n",
    "a:!::\nroot:!::\n+@x\n# end",
  ]);
});

for (const bad of ["", "a:b", "a\nb", "+a", "-a", "#a", " a", "aĊroot", "a\u0100"]) {
  test(`a new entry with the name ${JSON.stringify(bad)} is refused`, () => {
    const file = new AccountFile(group, Buffer.from("root:x:0:\n"));
    assert.throws(() => file.append({ name: bad, password: "x", gid: 1, members: [] }), {
      name: "TremplinError",
    });
    assert.equal(file.entries.length, 1);
  });
}

test("a member name with a comma is refused", () => {
  const file = new AccountFile(group, Buffer.from("sudo:x:27:\n"));
  const [sudo] = file.entries;
  assert.ok(sudo);
  for (const bad of ["a,b", "", "a:b", "a\nroot"]) {
    assert.throws(() => file.replace(sudo, { ...sudo, members: [bad] }), { name: "TremplinError" });
  }
});

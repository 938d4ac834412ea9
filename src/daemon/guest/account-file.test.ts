import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { AccountFile, type AccountFormat } from "./account-file.ts";
import { group, gshadow, passwd, shadow } from "./account-formats.ts";
import { decodeLatin1, encodeLatin1 } from "./lossless-text.ts";

const field = fc.string({ unit: fc.constantFrom(..."az09-_,. /\x7f\xa0\xc3\xff") });
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

/** Any bytes, and what people, editors and other systems leave in such files. */
const piece = fc.constantFrom(
  ..."::: , \n\n\r\t\0\xff\xa0+-#a0".split(""),
  "root",
  "anna",
  "1000",
  "-1",
  "99999999999",
  "x".repeat(5000),
  "# NIS\n+::::::\n",
  "anna:x:1000:1000::/home/anna:/bin/sh\r\n",
  "sudo:x:27:bob,\n",
);
const anyBytes = fc.oneof(
  fc.uint8Array(),
  fc.array(piece, { maxLength: 40 }).map((all) => encodeLatin1(all.join(""))),
);

/** The lines of a file; an empty one at the end stands for the final line feed. */
function linesOf(bytes: Uint8Array): string[] {
  return decodeLatin1(bytes).split("\n");
}

for (const [format, entryLine] of formats) {
  const line = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(padding, entryLine, padding).map((all) => all.join("")) },
    other,
  );
  const content = fc
    .tuple(fc.array(line), ending)
    .map(([lines, end]) => encodeLatin1(lines.join("\n") + end));
  const bytesOrContent = fc.oneof(anyBytes, content);

  test(`${format.path} of any bytes is written back byte for byte if nothing changes`, () => {
    fc.assert(
      fc.property(bytesOrContent, (bytes) =>
        assert.deepEqual([...new AccountFile(format, bytes).toBytes()], [...bytes]),
      ),
    );
  });

  test(`${format.path} of any bytes keeps every line, in order, when one is added`, () => {
    fc.assert(
      fc.property(bytesOrContent, entryLine, (bytes, added) => {
        const file = new AccountFile(format, bytes);
        const [entry] = new AccountFile(format, encodeLatin1(added)).entries;
        assert.ok(entry);
        file.append(entry);
        assert.deepEqual(new AccountFile(format, file.toBytes()).claims, file.claims);
        const now = linesOf(file.toBytes());
        const at = now.lastIndexOf(format.write(entry).join(":"));
        const [before, without] = [linesOf(bytes), now.toSpliced(at, 1)];
        assert.ok(at >= 0);
        // A last line without a line feed gets one.
        const isEnded = before.at(-1) === "" || without.length === before.length;
        assert.deepEqual(without, isEnded ? before : [...before, ""]);
      }),
    );
  });

  for (const filling of [":", ",", "\n", " ", "1", "+\n", "a:b:c\n", "\0", "a\r\n"]) {
    test(`${format.path} of 1 MB of ${JSON.stringify(filling)} is parsed in time, and stays`, () => {
      for (const content of [filling, `a${filling}`].map((text) => Buffer.alloc(1_000_000, text))) {
        const file = inLinearTime(() => new AccountFile(format, content));
        assert.ok(Buffer.compare(file.toBytes(), content) === 0);
        assert.ok(file.problems.every((problem) => problem.length < 300));
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
  for (const bad of ["a,b", "", "a:b", "a\nroot", "a\0", "aĊ"]) {
    const edit = () => file.editField(sudo, 3, () => bad, { ...sudo, members: [bad] });
    assert.throws(edit, { name: "TremplinError" });
  }
  assert.equal(decodeLatin1(file.toBytes()), "sudo:x:27:\n");
});

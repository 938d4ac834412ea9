import assert from "node:assert/strict";
import { test } from "node:test";
import { editAptList } from "./apt-list.ts";
import type { AptSource } from "./apt-source.ts";

function read(text: string): AptSource[] {
  const sources: AptSource[] = [];
  editAptList(text, (source) => void sources.push(source));
  return sources;
}

// How apt 2.6.1 reads these lines was looked up with `apt-get update --print-uris`.
for (const [line, uri, suite, components] of [
  ["deb http://a/debian bookworm main non-free", "http://a/debian", "bookworm", ["main", "non-free"]],
  ["deb [arch=amd64 signed-by=/k.gpg] http://a/ bookworm main # note", "http://a/", "bookworm", ["main"]],
  ["deb [ arch=amd64 ]http://a/ bookworm main", "http://a/", "bookworm", ["main"]],
  [
    "deb cdrom:[Debian 12 _Bookworm_ x]/ bookworm main",
    "cdrom:[Debian 12 _Bookworm_ x]/",
    "bookworm",
    ["main"],
  ],
  ['deb "http://a/de bian" "bookworm" main', "http://a/de bian", "bookworm", ["main"]],
  ["  \tdeb\thttp://a/\tbookworm  main\r", "http://a/", "bookworm", ["main"]],
  ["deb http://a/ ./", "http://a/", "./", []],
] as const) {
  test(`an entry is parsed from ${JSON.stringify(line)}`, () => {
    assert.deepEqual(read(line), [
      { types: ["deb"], uris: [uri], suites: [suite], components, enabled: true },
    ]);
  });
}

for (const line of [
  "",
  "# deb http://a b c",
  "deb",
  "deb http://a",
  "deb [x http://a b",
  'deb "http://a b',
  "rpm http://a b",
  "deb http://a #b",
]) {
  test(`${JSON.stringify(line)} is not an entry`, () => assert.deepEqual(read(line), []));
}

test("only the suite changes", () => {
  const text =
    '# head\ndeb  [arch=amd64]\thttp://a/bookworm  bookworm-updates   main # bookworm\ndeb-src http://b "bookworm" x';
  assert.equal(
    editAptList(text, () => ({ suite: (name) => name.replace("bookworm", "trixie") })),
    "# head\ndeb  [arch=amd64]\thttp://a/bookworm  trixie-updates   main # bookworm\ndeb-src http://b trixie x",
  );
});

test("an entry that is disabled, or loses its suite, becomes a comment", () => {
  const text = "deb http://a one main\n  deb http://b two main\ndeb http://c three main";
  assert.equal(
    editAptList(text, ({ uris }) => ({
      disable: uris[0] === "http://b",
      suite: (name) => (name === "one" ? undefined : name),
    })),
    "# deb http://a one main\n#   deb http://b two main\ndeb http://c three main",
  );
});

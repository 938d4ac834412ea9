import assert from "node:assert/strict";
import { test } from "node:test";
import { editAptDeb822 } from "./apt-deb822.ts";
import type { AptSource } from "./apt-source.ts";

const debian = `Types: deb
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 bookworm
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb deb-src
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
`;

function read(text: string): AptSource[] {
  const sources: AptSource[] = [];
  editAptDeb822(text, (source) => void sources.push(source));
  return sources;
}

function toTrixie(name: string): string {
  return name.replace("bookworm", "trixie");
}

test("Debian's stanzas are parsed", () => {
  assert.deepEqual(read(debian), [
    {
      types: ["deb"],
      uris: ["http://deb.debian.org/debian"],
      suites: ["bookworm", "bookworm-updates"],
      components: ["main"],
      enabled: true,
    },
    {
      types: ["deb", "deb-src"],
      uris: ["http://deb.debian.org/debian-security"],
      suites: ["bookworm-security"],
      components: ["main"],
      enabled: true,
    },
  ]);
});

test("only suites change", () => {
  assert.equal(
    editAptDeb822(debian, () => ({ suite: toTrixie })),
    debian
      .replace("bookworm bookworm-updates", "trixie trixie-updates")
      .replace("bookworm-security", "trixie-security"),
  );
});

test("only the selected stanza is disabled", () => {
  assert.equal(
    editAptDeb822(debian, ({ uris }) => ({ disable: uris[0]?.endsWith("-security") })),
    debian.replace("Types: deb deb-src", "Enabled: no\nTypes: deb deb-src"),
  );
});

test("Enabled: yes is replaced in the same line", () => {
  const text = "# note\nTypes: deb\nEnabled:\n yes\nURIs: http://a\nSuites: x\n";
  assert.equal(
    editAptDeb822(text, () => ({ disable: true })),
    text.replace("Enabled:\n yes", "Enabled: no"),
  );
});

test("DOS line ends are kept, and used for new lines", () => {
  const text =
    "Types: deb\r\nURIs: http://a\r\nSuites: bookworm\r\n\r\nTypes: deb\r\nURIs: http://b\r\nSuites: x\r\n";
  assert.equal(
    editAptDeb822(text, ({ uris }) =>
      uris[0] === "http://a" ? { suite: toTrixie, disable: true } : undefined,
    ),
    `Enabled: no\r\n${text.replace("bookworm", "trixie")}`,
  );
});

test("a line without suites is removed, and a stanza without suites is disabled", () => {
  const text = "Types: deb\nURIs: http://a\nSuites: one\n# two\n  two\n\tthree four\nComponents: main";
  const without = (...names: string[]) =>
    editAptDeb822(text, () => ({ suite: (name) => (names.includes(name) ? undefined : name) }));
  assert.equal(without("two"), text.replace("\n  two", ""));
  assert.equal(without("one", "four"), text.replace(" one", "").replace(" four", ""));
  assert.equal(without("three"), text.replace("\tthree four", " four"));
  assert.equal(without("one", "two", "three", "four"), `Enabled: no\n${text}`);
});

// How apt 2.6.1 reads the following was looked up with `apt-get update --print-uris`.
for (const [word, enabled] of [
  ["no", false],
  ["0", false],
  ["Disable", false],
  ["nope", true],
  ["", true],
] as const) {
  test(`"Enabled: ${word}" ${enabled ? "does not disable" : "disables"}`, () => {
    assert.equal(read(`ENABLED: ${word}\ntypes : deb\nuris: http://a\nsuites: x\n`)[0]?.enabled, enabled);
  });
}

test("a line of blanks does not separate stanzas, and the last of several equal fields counts", () => {
  const text = "Types: deb\nURIs: http://a\nSuites: one\n two\n \nURIs: http://b\nSuites:\n# no\n three";
  assert.deepEqual(
    read(text).map(({ uris, suites }) => [uris, suites]),
    [[["http://b"], ["three"]]],
  );
  assert.equal(
    editAptDeb822(text, () => ({ suite: () => "four" })),
    text.replace("three", "four"),
  );
});

for (const text of [
  "",
  "\n\n",
  "# Types: deb\n",
  "Types: deb\nSuites: x\n",
  "junk\n",
  " x\n",
  "Types deb\nURIs: a\nSuites: b",
]) {
  test(`${JSON.stringify(text)} has no entry`, () => assert.deepEqual(read(text), []));
}

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseOneLineSources, parseStanzaSources } from "./apt-sources.ts";

test("lines with options, comments, several components and a slash too many are read", () => {
  const sources = parseOneLineSources(`
# deb http://old.example/debian bookworm main
deb-src http://a.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://a.example/debian/ bookworm main contrib # the usual
  deb cdrom:[Debian]/ bookworm main
`);
  assert.deepEqual(sources, [
    {
      uri: "http://a.example/debian",
      suite: "bookworm",
      components: ["main", "contrib"],
      signedBy: "/k.gpg",
    },
    { uri: "cdrom:[Debian]", suite: "bookworm", components: ["main"], signedBy: "" },
  ]);
});

test("a stanza is one source for each URI and suite, and continued lines belong to their field", () => {
  const sources = parseStanzaSources(`# by hand
Types: deb deb-src
URIs: http://a.example/debian http://b.example/debian/
Suites: trixie
  trixie-updates
# Suites: sid
Components: main
Signed-By: /k.gpg
`);
  assert.deepEqual(
    sources.map(({ uri, suite, signedBy }) => `${uri} ${suite} ${signedBy}`),
    [
      "http://a.example/debian trixie /k.gpg",
      "http://a.example/debian trixie-updates /k.gpg",
      "http://b.example/debian trixie /k.gpg",
      "http://b.example/debian trixie-updates /k.gpg",
    ],
  );
});

for (const field of ["Types: deb-src", "Types: deb\nEnabled: no"]) {
  test(`a stanza with "${field.replace("\n", ", ")}" is left out`, () => {
    assert.deepEqual(
      parseStanzaSources(`${field}\nURIs: http://a.example\nSuites: x\nComponents: main\n`),
      [],
    );
  });
}

test("both styles read the same out of what they write the same", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const uri = fc.stringMatching(/^http:\/\/[a-z]{1,9}\/[a-z]{1,9}$/);
  const source = fc.record({ uri, suite: word, components: fc.array(word, { minLength: 1, maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(source), (sources) => {
      const lines = sources.map((each) => `deb ${each.uri} ${each.suite} ${each.components.join(" ")}`);
      const stanzas = sources.map(
        (each) =>
          `Types: deb\nURIs: ${each.uri}\nSuites: ${each.suite}\nComponents: ${each.components.join("\n ")}`,
      );
      const expected = sources.map((each) => ({ ...each, signedBy: "" }));
      assert.deepEqual(parseOneLineSources(lines.join("\n")), expected);
      assert.deepEqual(parseStanzaSources(stanzas.join("\n\n")), expected);
    }),
  );
});

test("no text makes the parsers throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      parseOneLineSources(text);
      parseStanzaSources(text);
    }),
  );
});

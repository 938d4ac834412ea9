import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { AptSourceEditor } from "./apt-source.ts";
import { editAptSources, readAptSources } from "./apt-sources.ts";
import { decodeLatin1, encodeLatin1 } from "./lossless-text.ts";

const editors: AptSourceEditor[] = [
  () => undefined,
  () => ({}),
  () => ({ suite: (name) => name, disable: false }),
];

const piece = fc.constantFrom(
  ...'deb|deb-src| |\t|\n|\n\n|\r|http://a/debian|bookworm|[|]|[arch=amd64]|"|#|:|\xe9|\0'.split("|"),
  "Types: deb\n",
  "URIs: http://a\n",
  "Suites:",
  "Suites: bookworm x\n",
  "Enabled: no\n",
);
const content = fc.oneof(
  fc.uint8Array(),
  fc.array(piece).map((all) => encodeLatin1(all.join(""))),
);

for (const path of ["/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources"]) {
  test(`any ${path} is written back byte for byte if nothing changes`, () => {
    fc.assert(
      fc.property(content, fc.constantFrom(...editors), (bytes, editor) => {
        assert.equal(decodeLatin1(editAptSources(path, bytes, editor)), decodeLatin1(bytes));
      }),
    );
  });

  test(`in any ${path} only the suites and the disabled entries change`, () => {
    const edited = (bytes: Uint8Array, editor: AptSourceEditor) => editAptSources(path, bytes, editor);
    fc.assert(
      fc.property(content, (bytes) => {
        const before = readAptSources(path, bytes);
        const switched = edited(bytes, () => ({
          suite: (name) => (name === "bookworm" ? "trixie" : undefined),
        }));
        for (const source of readAptSources(path, switched)) {
          assert.ok(
            !source.enabled || source.suites.every((name) => name === "trixie"),
            decodeLatin1(switched),
          );
        }
        const disabled = edited(bytes, () => ({ disable: true }));
        assert.ok(readAptSources(path, disabled).every((source) => !source.enabled));
        assert.equal(decodeLatin1(edited(disabled, () => ({ disable: true }))), decodeLatin1(disabled));
        const there = edited(bytes, () => ({ suite: (name) => `x-${name.length}` }));
        assert.deepEqual(
          readAptSources(path, there).map(({ types, uris, components }) => ({ types, uris, components })),
          before.map(({ types, uris, components }) => ({ types, uris, components })),
        );
      }),
    );
  });

  for (const filling of [" ", "[", '"', "#", "\n", "a ", "Suites: a\n", " a\n", "deb http://a b\n", "a:\n"]) {
    test(`${path} of 1 MB of ${JSON.stringify(filling)} is parsed in time`, () => {
      const stanza = "Types: deb\nURIs: http://a\nSuites: ";
      const head = path.endsWith(".list")
        ? "deb http://a bookworm\ndeb "
        : `${stanza}bookworm\n\n${stanza}x `;
      const bytes = Buffer.from(`${head}${filling.repeat(1_000_000 / filling.length)}x`);
      const toSid: AptSourceEditor = () => ({ suite: (name) => (name === "bookworm" ? "sid" : name) });
      const edited = inLinearTime(() => editAptSources(path, bytes, toSid));
      assert.equal(bytes.length - edited.length, "bookworm".length - "sid".length);
    });
  }
}

test("a file with another extension is refused", () => {
  for (const path of ["x.list.save", "x", "debian.sources.bak"]) {
    assert.throws(() => readAptSources(path, Buffer.from("")), { name: "TremplinError", code: "invalid" });
  }
});

test("a new suite must be one plain word", () => {
  for (const bad of ["", "a b", "a\n", "#", "a]", '"', "é", "[x", "-x"]) {
    assert.throws(
      () => editAptSources("x.list", Buffer.from("deb http://a b c\n"), () => ({ suite: () => bad })),
      (error) => error instanceof TremplinError && error.code === "invalid",
    );
  }
});

test("URIs change in both formats, and nothing else does", () => {
  const list = "deb [arch=amd64] http://a/debian/ x main # http://a/debian/\ndeb-src http://b x main\n";
  const sources = "Types: deb\nURIs: http://b\n  http://a/debian/\nSuites: x\n";
  const toArchive: AptSourceEditor = () => ({
    uri: (uri) => (uri === "http://a/debian/" ? "http://archive/debian" : uri),
  });
  const edited = (path: string, text: string) =>
    decodeLatin1(editAptSources(path, Buffer.from(text), toArchive));
  assert.equal(edited("x.list", list), list.replace("http://a/debian/", "http://archive/debian"));
  assert.equal(edited("x.sources", sources), sources.replace("http://a/debian/", "http://archive/debian"));
});

test("a new URI must be plain", () => {
  for (const bad of ["", "a b", "http://a b", "http://a\n", "http://#", "no-scheme"]) {
    assert.throws(
      () => editAptSources("x.list", Buffer.from("deb http://a b c\n"), () => ({ uri: () => bad })),
      (error) => error instanceof TremplinError && error.code === "invalid",
    );
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fakeApt } from "../../../test/support/fake-apt.ts";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { expandMirrorList, mirrorListUri, parseMirrorList } from "./mirror-list.ts";

test("the preferred mirrors of a list come first", () => {
  const list = `# comment
http://third.example/debian
\thttp://second.example/debian\tpriority:2 arch:amd64
http://first.example/debian priority:1\r
http://fourth.example/debian

no uri
mirror+file:/etc/apt/mirrors/itself.list priority:0
`;
  assert.deepEqual(parseMirrorList(list), [
    "http://first.example/debian",
    "http://second.example/debian",
    "http://third.example/debian",
  ]);
});

for (const [uri, list] of [
  ["mirror+file:/etc/apt/mirrors/debian.list", "file:/etc/apt/mirrors/debian.list"],
  ["mirror+https://host/list", "https://host/list"],
  ["mirror://host/list", "http://host/list"],
  ["http://host/mirror:x", undefined],
] as const) {
  test(`the list of ${uri}`, () => assert.equal(mirrorListUri(uri), list));
}

test("a list is read from its file, or downloaded", async () => {
  const files = {
    "/etc/apt/m.list": "http://a.example/debian\n",
    "http://b.example/l": "http://c.example/\n",
  };
  const expand = (uri: string) => expandMirrorList(fakeApt({}, { files }), uri);
  assert.deepEqual(await expand("mirror+file:/etc/apt/m.list"), ["http://a.example/debian"]);
  assert.deepEqual(await expand("mirror+file:///etc/apt/m.list"), ["http://a.example/debian"]);
  assert.deepEqual(await expand("mirror://b.example/l"), ["http://c.example/"]);
  assert.deepEqual(await expand("mirror+file:/nothing"), []);
  assert.deepEqual(await expand("http://d.example/debian"), ["http://d.example/debian"]);
});

test("any list gives at most three mirrors, and none is a list", () => {
  const piece = fc.constantFrom(
    "http://a",
    "mirror:",
    " ",
    "\t",
    "\n",
    "#",
    "priority:",
    "1",
    "x",
    "\0",
    "é",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((all) => all.join("")),
      ),
      (text) => {
        const mirrors = parseMirrorList(text);
        assert.ok(mirrors.length <= 3);
        assert.ok(mirrors.every((uri) => mirrorListUri(uri) === undefined && !/\s/.test(uri)));
      },
    ),
  );
  for (const filling of [" ", "\n", "a:", "a: ", "#"]) {
    inLinearTime(() => parseMirrorList(`http://a ${filling.repeat(200_000)}x`));
  }
});

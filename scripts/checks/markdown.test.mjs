import assert from "node:assert/strict";
import { test } from "node:test";
import { anchorsOf, slugOf, withoutCode } from "./markdown.mjs";

test("the anchor of a heading is the one that GitHub makes", () => {
  assert.equal(slugOf("Notices and the host"), "notices-and-the-host");
  assert.equal(slugOf("`StartLxd`, and *then*?"), "startlxd-and-then");
  assert.equal(slugOf("A [link](docs/a.md) & more"), "a-link--more");
  assert.equal(slugOf("STATE/lxd_log — Größe"), "statelxd_log--größe");
});

test("headings that repeat get numbers, and blocks of code have none", () => {
  const text = '# One\n## One\n```sh\n# not one\n```\n    # nor this\n### Two ##\n<a id="own"></a>\n';
  assert.deepEqual([...anchorsOf(text)], ["own", "one", "one-1", "two"]);
});

test("code is blanked, and everything else stays where it is", () => {
  const text = "a `b` c\n```\n[d](e)\n```\nf `` ` `` g\n";
  assert.equal(withoutCode(text), "a     c\n   \n      \n   \nf         g\n");
});

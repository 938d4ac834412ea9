import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEstimate, parseSize } from "./size.ts";

test("sizes of apt and of engines are parsed", () => {
  assert.equal(parseSize("1374 B"), 1374);
  assert.equal(parseSize("12.5 MB"), 12.5e6);
  assert.equal(parseSize("1,024 kB"), 1_024_000);
  assert.equal(parseSize("10GiB"), 10 * 2 ** 30);
  assert.equal(parseSize("500"), 500);
  for (const text of ["", "ten", "5 XB", "-1 B"]) assert.equal(parseSize(text), undefined, text);
});

test("the estimate of apt 2 is parsed", () => {
  const say = (need: string, after: string) =>
    `Need to get ${need} of archives.\nAfter this operation, ${after}\n`;
  assert.deepEqual(parseEstimate(say("120 MB", "30.5 MB of additional disk space will be used.")), {
    download: 120e6,
    growth: 30.5e6,
  });
  assert.deepEqual(parseEstimate(say("20 MB/120 MB", "1 MB disk space will be freed.")), {
    download: 20e6,
    growth: -1e6,
  });
  assert.equal(parseEstimate("E: Unmet dependencies."), undefined);
});

test("the estimate of apt 3 is parsed", () => {
  const text =
    "Summary:\n  Upgrading: 2\n  Download size: 3,400 kB\n  Space needed: 10 MB / 80 GB available\n";
  assert.deepEqual(parseEstimate(text), { download: 3.4e6, growth: 10e6 });
});

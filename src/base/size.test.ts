import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseSize, sizeText } from "./size.ts";
import { TremplinError } from "./tremplin-error.ts";

const rule = { what: "memory", least: 1 };

test("people write sizes in many ways, and all mean the same", () => {
  for (const text of ["1G", "1g", "1GiB", "1 gib", "1.0G", "1024M", "1024 MiB", "1048576K"]) {
    assert.equal(parseSize(text, rule), 2 ** 30, text);
  }
  assert.deepEqual([parseSize("1GB", rule), parseSize("1.5 kb", rule)], [1e9, 1500]);
  assert.equal(parseSize("2048", { ...rule, bare: 2 ** 20 }), 2 ** 31);
});

test("what is no size, or too small, is refused with the rule", () => {
  for (const text of [
    "",
    "G",
    "1X",
    "-1G",
    "1,5G",
    "0G",
    "1e3M",
    "1GiBs",
    "1G\n",
    " 1G",
    "1i",
    "99999999TiB",
    "2048",
  ]) {
    assert.throws(() => parseSize(text, rule), TremplinError, text);
  }
  const small = { what: "disk", least: 2 ** 30, others: ", or unlimited" };
  assert.throws(
    () => parseSize("1M", small),
    /disk cannot be "1M": it is a size .* at least 1GiB, or unlimited$/,
  );
});

test("the text of any size is read as the same size, and is short", () => {
  fc.assert(
    fc.property(
      fc.maxSafeNat(),
      fc.constantFrom(1, 1000, 1024, 1e6, 2 ** 20, 1e9, 2 ** 30),
      (count, factor) => {
        const bytes = (count % 1000) * factor + 1024;
        const text = sizeText(bytes);
        if (!/\d B?$|^\d+B$/.test(text)) assert.equal(parseSize(text, rule), bytes);
        assert.ok(text.length <= String(bytes).length + 2);
      },
    ),
  );
  assert.deepEqual([2 ** 30, 20e9, 1.5 * 2 ** 30, 1025].map(sizeText), ["1GiB", "20GB", "1536MiB", "1025B"]);
});

test("any text is refused or a whole number of bytes", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        assert.ok(Number.isSafeInteger(parseSize(text, rule)));
      } catch (error) {
        assert.ok(error instanceof TremplinError && error.code === "invalid");
      }
    }),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesText, durationText, jsonLine, plainText } from "./text.ts";

test("durations", () => {
  const texts = [-5, 999, 59_999, 60_000, 3_599_000, 3_600_000, 90_061_000].map(durationText);
  assert.deepEqual(texts, ["0 s", "0 s", "59 s", "1:00", "59:59", "1:00:00", "25:01:01"]);
});

test("bytes", () => {
  const texts = [0, 1023, 1024, 1536, 10_240, 5n * 1024n ** 3n, 1024 ** 5].map(bytesText);
  assert.deepEqual(texts, ["0 B", "1023 B", "1 KiB", "1.5 KiB", "10 KiB", "5 GiB", "1024 TiB"]);
});

const HARMFUL = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;

test("plain text has no control characters, bidirectional controls or separators", () => {
  assert.equal(plainText("a\x1b[2Jb\r\nc\x9b"), "a [2Jb c");
  assert.equal(plainText("a\u202eb\u2066c\u061cd\u2028e"), "a b c d e");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !HARMFUL.test(plainText(text))));
});

test("JSON on one line has none either, and is read as the same text", () => {
  assert.equal(jsonLine({ a: "\u202eb\x9bc\x7f" }), '{"a":"\\u202eb\\u009bc\\u007f"}\n');
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const line = jsonLine({ text });
      assert.ok(!HARMFUL.test(line.slice(0, -1)));
      assert.deepEqual(JSON.parse(line), { text });
    }),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inTime } from "../../../test/support/in-time.ts";
import { bytesOf, legible, textOf, trimmed } from "./lossless-text.ts";

test("any bytes come back", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => assert.deepEqual([...bytesOf(textOf(bytes))], [...bytes])),
  );
});

test("text in UTF-8 is legible again", () => {
  assert.equal(legible(textOf(Buffer.from("Jörg à la 日本"))), "Jörg à la 日本");
});

test("only the white space of ASCII is trimmed", () => {
  const padded = textOf(Buffer.from(" \t\r\v\fvoilà \n"));
  assert.equal(legible(trimmed(padded)), "voilà");
  assert.equal(trimmed(" \t "), "");
});

test("a long run of blanks inside is trimmed in linear time", () => {
  const text = `a${" ".repeat(1_000_000)}b`;
  assert.equal(
    inTime(() => trimmed(text)),
    text,
  );
});

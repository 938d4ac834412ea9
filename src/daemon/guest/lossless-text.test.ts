import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import {
  decodeLatin1,
  displayText,
  encodeLatin1,
  trimAscii,
  trimAsciiEnd,
  trimAsciiStart,
} from "./lossless-text.ts";

test("any bytes round-trip", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) =>
      assert.deepEqual([...encodeLatin1(decodeLatin1(bytes))], [...bytes]),
    ),
  );
});

test("UTF-8 text is displayed correctly", () => {
  assert.equal(displayText(decodeLatin1(Buffer.from("Jörg à la 日本"))), "Jörg à la 日本");
});

test("only ASCII white space is trimmed", () => {
  const padded = decodeLatin1(Buffer.from(" \t\r\v\fvoilà \n"));
  assert.equal(displayText(trimAscii(padded)), "voilà");
  assert.equal(trimAscii(" \t "), "");
  assert.deepEqual([trimAsciiStart(" a "), trimAsciiEnd(" a ")], ["a ", " a"]);
});

test("a long run of blanks inside is trimmed in linear time", () => {
  const text = `a${" ".repeat(1_000_000)}b`;
  assert.equal(
    inLinearTime(() => trimAscii(text)),
    text,
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { flagText, jsonText } from "./text-codecs.ts";

const point = jsonText(z.object({ x: z.number() }));

test("a value is written as JSON text and read from it", () => {
  assert.equal(z.encode(point, { x: 1 }), '{"x":1}');
  assert.deepEqual(z.decode(point, '{"x":1}'), { x: 1 });
});

test("text that is not JSON, or not of that form, does not parse", () => {
  assert.equal(point.safeParse("{").success, false);
  assert.equal(point.safeParse('{"x":"1"}').success, false);
});

test("any text means that a flag is set", () => {
  assert.equal(z.decode(flagText, "yes"), true);
  assert.equal(z.encode(flagText, true), "done");
});

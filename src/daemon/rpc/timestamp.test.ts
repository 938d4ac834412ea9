import assert from "node:assert/strict";
import { test } from "node:test";
import { toBinary, toJson } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { timestampFrom } from "./timestamp.ts";

test("whatever number a file holds, a message can carry what becomes of it", () => {
  fc.assert(
    fc.property(fc.double(), (milliseconds) => {
      const timestamp = timestampFrom(milliseconds);
      if (!timestamp) return;
      toBinary(TimestampSchema, timestamp);
      toJson(TimestampSchema, timestamp);
    }),
  );
  assert.equal(timestampFrom(1711155029.296875)?.nanos, 29_000_000);
  assert.equal(timestampFrom(Number.NaN), undefined);
});

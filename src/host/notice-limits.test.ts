import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { hasCode } from "../../test/support/host-fixture.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { ContainerStartProgressSchema as schema } from "../contract/tremplin_pb.js";
import { NoticeLimits } from "./notice-limits.ts";

const notice = create(schema, { containerName: "web" });

test("a guest over its rate is refused until time has passed; others are not", async () => {
  const clock = new ManualClock();
  const limits = new NoticeLimits(clock);
  const admit = (guest: string) => limits.admit(guest, schema, notice);
  const admitted = () => {
    for (let count = 0; ; count++) {
      try {
        admit("loud");
      } catch {
        return count;
      }
    }
  };
  assert.equal(admitted(), 2_000);
  assert.throws(
    () => admit("loud"),
    hasCode(Code.Unavailable, /guest loud sends more than 200 notices a second/),
  );
  admit("quiet");
  await clock.advance(1_000);
  assert.equal(admitted(), 200);
  await clock.advance(3_600_000);
  assert.equal(admitted(), 2_000);
});

test("a notice that is too large is refused", () => {
  const large = create(schema, { failureReason: "x".repeat(1024 * 1024) });
  assert.throws(
    () => new NoticeLimits(new ManualClock()).admit("vm", schema, large),
    hasCode(Code.InvalidArgument, /ContainerStartProgress has 1048\d+ bytes/),
  );
});

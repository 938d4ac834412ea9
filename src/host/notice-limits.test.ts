import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { hasCode } from "../../test/support/host-fixture.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import {
  ListeningPortInfoSchema,
  ContainerStartProgress_Status as Status,
  ContainerStartProgressSchema as schema,
} from "../contract/tremplin_pb.js";
import { NoticeLimits } from "./notice-limits.ts";

const { STARTING, STARTED } = Status;

function limitsFor(clock: ManualClock) {
  const limits = new NoticeLimits(clock);
  const admit = (guest: string, containerName: string, status = STARTING) =>
    limits.admit(guest, schema, "start", create(schema, { containerName, status }));
  const ports = (guest: string, name: string) => {
    const info = create(ListeningPortInfoSchema, { containerPorts: { [name]: { listeningTcp4Ports: [1] } } });
    limits.admit(guest, ListeningPortInfoSchema, "ports", info);
  };
  return { admit, ports };
}

/** How often it is admitted. */
function count(admit: (count: number) => void): number {
  for (let count = 0; ; count++) {
    try {
      admit(count);
    } catch {
      return count;
    }
  }
}

test("a guest over its rate is refused until time has passed; others are not", async () => {
  const clock = new ManualClock();
  const { admit } = limitsFor(clock);
  const admitted = () => count((at) => admit("loud", `c${at % 7}`));
  assert.equal(admitted(), 2_000);
  assert.throws(
    () => admit("loud", "c8"),
    hasCode(Code.Unavailable, /more than 200 notices a second come from guest loud/),
  );
  admit("quiet", "c8");
  await clock.advance(1_000);
  assert.equal(admitted(), 200);
  await clock.advance(3_600_000);
  assert.equal(admitted(), 2_000);
});

test("one container, or the ports of all, use half of the rate of their guest; the rest is for others", async () => {
  const clock = new ManualClock();
  const { admit, ports } = limitsFor(clock);
  assert.equal(
    count(() => admit("vm", "loud")),
    1_000,
  );
  assert.throws(
    () => admit("vm", "loud"),
    hasCode(Code.Unavailable, /100 notices a second come from container loud of guest vm/),
  );
  admit("vm", "quiet");
  await clock.advance(60_000);
  assert.equal(
    count((at) => ports("vm", `c${at}`)),
    1_000,
  );
  assert.throws(
    () => ports("vm", "c"),
    hasCode(Code.Unavailable, /come from the listening ports of guest vm/),
  );
  admit("vm", "quiet");
});

test("what ends an operation is delayed neither by progress nor by another container", () => {
  const { admit, ports } = limitsFor(new ManualClock());
  count((at) => admit("vm", `c${at % 7}`));
  count((at) => ports("vm", `c${at}`));
  admit("vm", "web", STARTED);
  assert.equal(
    count(() => admit("vm", "loud", STARTED)),
    1_000,
  );
  admit("vm", "web", STARTED);
});

test("names that a guest invents use bounded memory, and do not help it", () => {
  const { admit } = limitsFor(new ManualClock());
  assert.equal(
    count((at) => admit("loud", `c${at}`)),
    2_000,
  );
});

test("a notice that is too large is refused", () => {
  const large = create(schema, { failureReason: "x".repeat(1024 * 1024) });
  assert.throws(
    () => new NoticeLimits(new ManualClock()).admit("vm", schema, "start", large),
    hasCode(Code.InvalidArgument, /ContainerStartProgress has 1048\d+ bytes/),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  EventSchema,
  type OperationInfo,
  OperationInfoSchema,
  OperationInfo_State as State,
} from "../../contract/tremplin/v1/host_pb.js";
import { OperationPaces } from "./operation-paces.ts";

const operation = (percent?: number, state = State.UNDER_WAY): OperationInfo =>
  create(OperationInfoSchema, { operation: "o", state, ...(percent !== undefined && { percent }) });

const read = (bytes: bigint) =>
  create(EventSchema, {
    operation: "o",
    notice: { case: "export", value: { inputBytesStreamed: bytes } as never },
  });

test("rate and time left come from what is reported, and are forgotten at the end", () => {
  const paces = new OperationPaces();
  for (let second = 0; second <= 4; second++) {
    paces.note(read(BigInt(second) * 1024n));
    paces.measure([operation(second * 10)], second * 1000);
  }
  assert.equal(paces.of(operation())?.rate, 1024);
  assert.equal(paces.of(operation())?.remaining, 6_000);
  paces.measure([operation(100, State.SUCCEEDED)], 5_000);
  assert.equal(paces.of(operation()), undefined);
});

test("nothing is said of what has no percentage", () => {
  const paces = new OperationPaces();
  for (const at of [0, 5_000, 10_000]) paces.measure([operation()], at);
  assert.equal(paces.of(operation()), undefined);
});

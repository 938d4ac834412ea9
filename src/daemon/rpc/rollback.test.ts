import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromJson, toJson } from "@bufbuild/protobuf";
import {
  RollbackResponseSchema,
  RollbackResponse_Status as Status,
} from "../../contract/tremplin/v1/guest_pb.js";

test("JSON keeps the earlier name of NO_ROLLBACK_SNAPSHOT, and both names are read", () => {
  const response = create(RollbackResponseSchema, { status: Status.NO_ROLLBACK_SNAPSHOT });
  assert.deepEqual(toJson(RollbackResponseSchema, response), { status: "NO_WAY_BACK" });
  for (const status of ["NO_WAY_BACK", "NO_ROLLBACK_SNAPSHOT"]) {
    assert.equal(fromJson(RollbackResponseSchema, { status }).status, Status.NO_ROLLBACK_SNAPSHOT);
  }
});

import assert from "node:assert/strict";
import { type ErrorCode, TremplinError } from "../../src/base/tremplin-error.ts";

/** For assert.rejects: an error of the project with this code. */
export function withCode(code: ErrorCode): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof TremplinError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  };
}

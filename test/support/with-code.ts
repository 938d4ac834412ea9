import assert from "node:assert/strict";
import { type ErrorCode, TremplinError } from "../../src/base/tremplin-error.ts";

/** For assert.rejects and assert.throws: an error of the project with this code, and a message like this. */
export function withCode(code: ErrorCode, message?: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof TremplinError, String(error));
    assert.equal(error.code, code, error.message);
    if (message) assert.match(error.message, message);
    return true;
  };
}

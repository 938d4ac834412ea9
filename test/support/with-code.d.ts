import { type ErrorCode } from "../../src/base/tremplin-error.ts";
/** For assert.rejects and assert.throws: an error of the project with this code, and a message like this. */
export declare function withCode(code: ErrorCode, message?: RegExp): (error: unknown) => true;

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { type Logger, silentLogger } from "../base/logger.ts";
import { type ErrorCode, TremplinError } from "../base/tremplin-error.ts";
import { Guest } from "../contract/tremplin/v1/guest_pb.js";
import { convertErrors } from "./call-errors.ts";

/** What a caller gets, and what is logged, when the handlers throw this. */
async function outcomes(thrown: unknown) {
  const logged: string[] = [];
  const note = (_details: object, text: string) => void logged.push(text);
  const log = Object.assign(Object.create(silentLogger), { warn: note, error: note }) as Logger;
  const transport = createRouterTransport(
    (router) =>
      router.service(Guest, {
        listContainers() {
          throw thrown;
        },
        async *prepareImage() {
          yield { message: "begun" };
          throw thrown;
        },
      }),
    { router: { interceptors: [convertErrors(log)] } },
  );
  const guest = createClient(Guest, transport);
  const unary = await guest.listContainers({}).catch((error) => ConnectError.from(error));
  const streamed = await Array.fromAsync(guest.prepareImage({})).catch((error) => ConnectError.from(error));
  assert.ok(unary instanceof ConnectError && streamed instanceof ConnectError);
  assert.deepEqual([unary.code, unary.rawMessage], [streamed.code, streamed.rawMessage]);
  return { code: unary.code, sentence: unary.rawMessage, logged };
}

const expected: Readonly<Record<ErrorCode, Code>> = {
  invalid: Code.InvalidArgument,
  "not-found": Code.NotFound,
  exists: Code.AlreadyExists,
  busy: Code.Aborted,
  conflict: Code.Aborted,
  cancelled: Code.Canceled,
  unavailable: Code.FailedPrecondition,
  "timed-out": Code.Internal,
  failed: Code.Internal,
};

for (const [code, wanted] of Object.entries(expected)) {
  test(`an error of ours that is ${code} keeps its sentence and becomes ${Code[wanted]}`, async () => {
    const { code: got, sentence, logged } = await outcomes(new TremplinError(code as ErrorCode, "say this"));
    assert.deepEqual([got, sentence], [wanted, "say this"]);
    assert.deepEqual(logged, ["the request failed", "the request failed"]);
  });
}

test("a mistake in a handler becomes one honest sentence, and is logged", async () => {
  for (const mistake of [new TypeError("x is not a function"), new SyntaxError("Unexpected token")]) {
    const { code, sentence, logged } = await outcomes(mistake);
    assert.equal(code, Code.Internal);
    assert.equal(
      sentence,
      `this is a mistake in tremplin itself, please report it (${mistake.name}: ${mistake.message})`,
    );
    assert.equal(logged[0], "a call failed unexpectedly");
  }
});

test("a failed system call is said in plain words", async () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
    code: "ENOSPC",
    path: "/var/lib/tremplin/journal/1.json",
  });
  const { sentence } = await outcomes(full);
  assert.equal(sentence, "/var/lib/tremplin/journal/1.json: there is no space left on its file system");
});

test("an error that was made for the caller passes", async () => {
  const { code, sentence, logged } = await outcomes(new ConnectError("no such guest", Code.NotFound));
  assert.deepEqual([code, sentence, logged], [Code.NotFound, "no such guest", []]);
});

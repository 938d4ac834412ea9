import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { asOperation, currentOperation } from "./current-operation.ts";
import { loggerTo } from "./logger.ts";

describe("the operation whose work something is", () => {
  test("is known to all that it calls, also at the same time as others", async () => {
    const seen = await Promise.all(
      ["a1", "b2"].map((id) =>
        asOperation(id, async () => {
          const before = currentOperation();
          await new Promise(setImmediate);
          return [before, currentOperation()];
        }),
      ),
    );
    assert.deepEqual(seen, [
      ["a1", "a1"],
      ["b2", "b2"],
    ]);
    assert.equal(currentOperation(), undefined);
  });

  test("is no more known to what it leaves running", async () => {
    const ended = Promise.withResolvers<void>();
    let left: Promise<string | undefined> = Promise.resolve("");
    await asOperation("a1", async () => {
      left = ended.promise.then(currentOperation);
    });
    ended.resolve();
    assert.equal(await left, undefined);
  });

  test("is once in each line of the log, also in those that name another", async () => {
    const lines: string[] = [];
    const log = loggerTo({ write: (line) => void lines.push(line) });
    const part = log.child({ container: "web" });
    log.info("before");
    await asOperation("a1", async () => {
      log.info("one");
      part.warn({ reason: "x" }, "two");
      log.info({ operation: "other" }, "three");
    });
    const operations = lines.map((line) => [
      line.match(/"operation"/g)?.length ?? 0,
      JSON.parse(line).operation,
    ]);
    assert.deepEqual(operations, [
      [0, undefined],
      [1, "a1"],
      [1, "a1"],
      [1, "other"],
    ]);
  });
});

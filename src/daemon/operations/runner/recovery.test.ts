import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { kindOf, request, runnerState, type StopContext } from "../../../../test/support/runner-state.ts";
import { ContainerStopProgress_Status as Status } from "../../../contract/tremplin_pb.js";
import { notice } from "../../notices/notice.ts";

test("the next daemon recovers an interrupted operation once, by its steps", async () => {
  await using state = await runnerState();
  const begun = Promise.withResolvers<void>();
  let recovered = 0;
  const kind = kindOf(
    async function* (_request, { step, signal }: StopContext) {
      await step("aside", "c1-old");
      begun.resolve();
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      return { status: Status.STOPPED };
    },
    async (_request, { steps }) => {
      recovered++;
      return { status: Status.FAILED, failureReason: `rolled back ${steps.aside}` };
    },
  );
  const first = await state.daemon(kind);
  await first.runner.begin(kind, "c1", request);
  await begun.promise;
  await first.stop();
  assert.equal(state.acknowledged.length, 0);
  const second = await state.daemon(kind);
  await second.runner.recover(await second.journal.entries());
  await second.runner.recover(await second.journal.entries());
  await state.notices(1);
  await second.stop();
  assert.equal(state.reason(), "rolled back c1-old");
  assert.equal(recovered, 1);
  assert.deepEqual(await readdir(state.path), []);
});

test("the next daemon sends a final notice that was not acknowledged, under the same id", async () => {
  await using state = await runnerState();
  const kind = kindOf(async function* () {
    return { status: Status.STOPPED };
  });
  const first = await state.daemon(kind);
  state.isHostUnreachable = true;
  const { id } = await first.runner.begin(kind, "c1", request);
  await first.clock.sleeping();
  await first.stop();
  state.isHostUnreachable = false;
  const second = await state.daemon(kind);
  const left = await second.journal.entries();
  await second.finals.resend(left);
  await second.runner.recover(left);
  await state.notices(1);
  await second.stop();
  assert.deepEqual(
    state.acknowledged.map((each) => each.id),
    [`${id}-end`],
  );
  assert.deepEqual(await readdir(state.path), []);
});

test("a rejected final notice is sent again by the next daemon, also with a debt", async () => {
  await using state = await runnerState();
  const kind = kindOf(async function* () {
    return { status: Status.STOPPED };
  });
  const final = { method: "updateStopStatus", message: { containerName: "c1" } };
  const entry = {
    kind: "stop",
    container: "c1",
    startedAt: 1,
    request: {},
    steps: {},
    final,
    owed: "a snapshot",
  };
  const { finals, rejected, journal } = await state.daemon(kind);
  await journal.begin({ id: "a", ...entry, delivered: true });
  await journal.begin({ id: "b", ...entry });
  const about = notice("updateStopStatus", { containerName: "c1" });
  for (const id of ["a", "b"])
    await rejected.keep({ id, container: "c1", notice: about, reason: "no such rpc" });
  await finals.resend(await journal.entries());
  await state.notices(2);
  assert.deepEqual(
    state.acknowledged.map(({ id }) => id),
    ["a-end", "b-end"],
  );
});

test("a bad entry does not block others: two of one container, fields of a newer version, damaged ones", async () => {
  await using state = await runnerState();
  const recovered: string[] = [];
  const kind = kindOf(
    async function* () {
      return { status: Status.STOPPED };
    },
    async (_request, { id }) => {
      recovered.push(id);
      return { status: Status.STOPPED };
    },
  );
  const entry = { kind: "stop", container: "c1", request: { containerName: "c1" }, steps: {} };
  const files = {
    one: { ...entry, startedAt: 1 },
    two: { ...entry, startedAt: 2, request: { containerName: "c1", invented: true } },
    three: { ...entry, startedAt: 3, container: "c2", request: { containerName: 7 } },
    four: { ...entry, startedAt: 4, container: "c3", final: { method: "noSuchNotice", message: {} } },
    five: { ...entry, startedAt: 5, container: "c4", final: { method: "updateStopStatus", message: 7 } },
    six: { ...entry, startedAt: 6, container: "c5", kind: "of-a-newer-version" },
  };
  for (const [id, content] of Object.entries(files)) {
    await writeFile(join(state.path, `${id}.json`), JSON.stringify({ id, ...content }));
  }
  await writeFile(join(state.path, "seven.json"), "rubbish");
  const { runner, finals, journal } = await state.daemon(kind);
  const left = await journal.entries();
  await finals.resend(left);
  await runner.recover(await journal.entries());
  await state.notices(2);
  assert.deepEqual(recovered, ["one", "two"]);
  await runner[Symbol.asyncDispose]();
  assert.deepEqual((await readdir(state.path)).filter((name) => !/^(one|two)/.test(name)).sort(), [
    "five.json.unreadable",
    "four.json.unreadable",
    "seven.json.unreadable",
    "six.json",
    "three.json.unreadable",
  ]);
});

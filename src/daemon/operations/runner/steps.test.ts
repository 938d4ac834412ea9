import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import * as z from "zod";
import {
  kindOf,
  released,
  request,
  runnerState,
  type StopContext,
} from "../../../../test/support/runner-state.ts";
import { flagText, jsonText } from "../../../base/text-codecs.ts";
import { ContainerStopProgress_Status as Status } from "../../../contract/tremplin_pb.js";
import type { OperationContext } from "./operation.ts";
import { OperationSteps } from "./steps.ts";

const schemas = { saved: flagText, proven: z.string(), size: jsonText(z.object({ bytes: z.number() })) };
const entry = { id: "a", kind: "stop", container: "c1", startedAt: 1, request: {} };

/** The steps of an operation whose journal is in memory. */
function stepsOf(texts: Record<string, string>) {
  let written = { ...entry, steps: texts };
  const journal = {
    async change(_id: string, change: (known: typeof written) => object | undefined) {
      written = change(written) as typeof written;
    },
  };
  return { steps: new OperationSteps(schemas, written, journal as never), texts: () => written.steps };
}

test("steps are read as values, and written as text beside those that this version does not know", async () => {
  const { steps, texts } = stepsOf({ saved: "done", invented: "later" });
  assert.deepEqual(steps.values, { saved: true });
  await steps.add("size", { bytes: 7 });
  await steps.add("proven", "Debian 13");
  assert.deepEqual(steps.values, { saved: true, size: { bytes: 7 }, proven: "Debian 13" });
  assert.deepEqual(texts(), { saved: "done", invented: "later", size: '{"bytes":7}', proven: "Debian 13" });
});

test("a step that does not parse throws a sentence with its name", () => {
  assert.throws(
    () => stepsOf({ size: "?" }),
    /^TremplinError: this version does not understand its step "size"$/,
  );
});

test("a mistyped step does not compile", () => {
  const use = async ({ step, steps }: OperationContext<typeof schemas>): Promise<void> => {
    await step("saved");
    await step("size", { bytes: 7 });
    // @ts-expect-error: no step has this name.
    await step("savd");
    // @ts-expect-error: the value is missing.
    await step("proven");
    // @ts-expect-error: the value has another type.
    await step("size", { bytes: "7" });
    // @ts-expect-error: no step has this name.
    assert.equal(steps.savd, undefined);
  };
  assert.equal(typeof use, "function");
});

test("a step that cannot be written was not taken", async () => {
  await using state = await runnerState();
  let taken: StopContext["steps"] | undefined;
  const kind = kindOf(async function* (_request, context) {
    const obstacle = join(state.path, `${context.id}.json.new`);
    await mkdir(obstacle);
    await context.step("saved").catch(() => undefined);
    taken = context.steps;
    await rm(obstacle, { recursive: true });
    return { status: Status.STOPPED };
  });
  const { runner } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await state.notices(1);
  assert.deepEqual(taken, {});
});

test("an entry with a step that this version does not understand is set aside", async () => {
  await using state = await runnerState();
  const kind = {
    ...kindOf(async function* () {
      return { status: Status.STOPPED };
    }),
    steps: { aside: z.string().startsWith("c1"), saved: flagText },
  };
  await writeFile(join(state.path, "a.json"), JSON.stringify({ ...entry, steps: { aside: "c2" } }));
  await writeFile(join(state.path, "b.json"), JSON.stringify({ ...entry, id: "b", steps: { more: "1" } }));
  const { runner, journal } = await state.daemon(kind);
  await runner.recover(await journal.entries());
  await state.notices(1);
  await released(runner);
  await runner[Symbol.asyncDispose]();
  assert.deepEqual(
    (await readdir(state.path)).filter((name) => name.startsWith("a")),
    ["a.json.unreadable"],
  );
  assert.equal(JSON.parse(await readFile(join(state.path, "a.json.unreadable"), "utf8")).steps.aside, "c2");
  assert.deepEqual(
    state.acknowledged.map(({ id }) => id),
    ["b-end"],
  );
});

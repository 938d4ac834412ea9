import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { findInitProcess } from "./init-process.ts";

const { signal } = new AbortController();

/** An engine that answers each question for the state of a container with the next of these. */
function engineSaying(...answers: (() => Promise<number> | number)[]): Engine {
  const state = async () => ({ pid: await (answers.shift() ?? (() => 0))() });
  // Only what is asked of it here.
  return { instances: { state } } as unknown as Engine;
}

async function sleeper(t: TestContext): Promise<ChildProcess & { pid: number }> {
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  return child as ChildProcess & { pid: number };
}

/** Until a process that began before is older by the kernel's clock of hundredths of a second. */
const tick = () => delay(30);

test("the folder is that of the process which the engine names", async (t) => {
  const { pid } = await sleeper(t);
  await tick();
  using init = await findInitProcess(
    engineSaying(() => pid),
    "c1",
    signal,
  );
  assert.equal(readFileSync(init?.path("comm") ?? "", "utf8"), "sleep\n");
});

test("a container that is stopped, or is not there, has none", async () => {
  assert.equal(
    await findInitProcess(
      engineSaying(() => 0),
      "c1",
      signal,
    ),
    undefined,
  );
  const missing = () => Promise.reject(new TremplinError("not-found", "no such container"));
  assert.equal(await findInitProcess(engineSaying(missing), "c1", signal), undefined);
});

test("a process that is younger than the question is not taken: its number may have been another's", async (t) => {
  const { pid } = await sleeper(t);
  await tick();
  const younger = async () => {
    await tick();
    return (await sleeper(t)).pid;
  };
  using init = await findInitProcess(
    engineSaying(younger, () => pid),
    "c1",
    signal,
  );
  assert.ok(init);
  assert.equal(readFileSync(init.path("stat"), "utf8").split(" ")[0], String(pid));
});

test("a process that has ended is not taken either", async (t) => {
  const child = await sleeper(t);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(
    await findInitProcess(
      engineSaying(() => child.pid),
      "c1",
      signal,
    ),
    undefined,
  );
});

test("an engine that names a new process each time is not asked for ever", async (t) => {
  const younger = async () => {
    await tick();
    return (await sleeper(t)).pid;
  };
  const engine = engineSaying(...Array.from({ length: 10 }, () => younger));
  await assert.rejects(findInitProcess(engine, "c1", signal), /first process of c1 was replaced 5 times/);
});

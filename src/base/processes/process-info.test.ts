import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { systemClock } from "../async/clock.ts";
import { isRunning, isSameProcess, processIdentity } from "./process-identity.ts";
import {
  bootId,
  commandLine,
  parseProcessStat,
  processAge,
  processIds,
  processStat,
} from "./process-info.ts";
import { sendSignal, stopProcesses, waitForExit } from "./wait-for-exit.ts";

test("the fields of a process are found whatever its name contains", () => {
  const fields = ["S", "7", ...Array(17).fill("0"), "1234", "0"].join(" ");
  for (const name of ["sh", "a b", ") Z 1 (", ""]) {
    const stat = parseProcessStat(`42 (${name}) ${fields}\n`);
    assert.deepEqual(stat, { state: "S", parent: 7, startTime: "1234" });
  }
  for (const incomplete of ["", "42", "42 (sh) S 7"])
    assert.equal(parseProcessStat(incomplete), undefined, incomplete);
});

test("a process is known while it runs, and unknown afterwards", async (t) => {
  const child = spawn("/bin/sleep", ["900"]);
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  const pid = child.pid as number;
  assert.equal(processStat(pid)?.parent, process.pid);
  assert.equal(isRunning(pid), true);
  assert.ok((await processAge(pid)) < (await processAge(1)));
  assert.deepEqual(await commandLine(pid), ["/bin/sleep", "900"]);
  assert.ok((await processIds()).includes(pid));
  assert.equal(await waitForExit([pid], { clock: systemClock, timeoutMs: 0 }), false);
  const exited = once(child, "exit");
  assert.equal(await stopProcesses([pid], systemClock), true);
  await exited;
  assert.equal(isRunning(pid), false);
  assert.equal(await processAge(pid), 0);
  assert.deepEqual(await commandLine(pid), []);
  sendSignal(pid, "SIGTERM");
});

test("a process that ended and that nobody waits for does not run, and is not waited for", async (t) => {
  const keeper = spawn("/bin/sh", ["-c", "sleep 900 & echo $!; exec sleep 900"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.after(() => keeper.kill("SIGKILL"));
  const [line] = await once(keeper.stdout, "data");
  // A shell would wait for its child, unlike the program in its place.
  const isReplaced = async () => (await commandLine(keeper.pid as number))[0] === "sleep" || undefined;
  await eventually("the keeper", isReplaced);
  const pid = Number(line);
  const identity = processIdentity(pid);
  assert.ok(identity && isSameProcess(identity));
  assert.equal(await stopProcesses([pid], systemClock), true);
  assert.equal(processStat(pid)?.state, "Z");
  assert.equal(isRunning(pid) || isSameProcess(identity), false);
  assert.equal(await waitForExit([pid], { clock: systemClock, timeoutMs: 100 }), true);
  keeper.kill("SIGKILL");
  await once(keeper, "exit");
});

test("another process under a reused id is not the same one", () => {
  const own = processIdentity(process.pid);
  assert.ok(own && isSameProcess(own));
  assert.equal(isSameProcess({ ...own, startedAt: `${Number(own.startedAt) - 1}` }), false);
  assert.equal(isSameProcess({ ...own, boot: "an earlier one" }), false);
});

test("a wait for an exit ends with the reason of its signal", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(waitForExit([process.pid], { clock: systemClock, signal }), /enough/);
});

test("a boot has an id", () => assert.match(bootId(), /^[0-9a-f-]{36}$/));

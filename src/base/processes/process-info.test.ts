import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { systemClock } from "../async/clock.ts";
import {
  bootId,
  commandLine,
  isAlive,
  parseProcessStat,
  processAge,
  processIds,
  processStartTime,
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

test("a process is known while it runs, and unknown afterwards", async () => {
  const child = spawn("/bin/sleep", ["900"]);
  await once(child, "spawn");
  const pid = child.pid as number;
  assert.equal(processStat(pid)?.parent, process.pid);
  assert.match(processStartTime(pid) ?? "", /^\d+$/);
  assert.ok((await processAge(pid)) < (await processAge(1)));
  assert.deepEqual(await commandLine(pid), ["/bin/sleep", "900"]);
  assert.ok((await processIds()).includes(pid));
  assert.equal(await waitForExit([pid], { clock: systemClock, timeoutMs: 0 }), false);
  const exited = once(child, "exit");
  assert.equal(await stopProcesses([pid], systemClock), true);
  await exited;
  assert.equal(isAlive(pid), false);
  assert.equal(processStartTime(pid), undefined);
  assert.equal(await processAge(pid), 0);
  assert.deepEqual(await commandLine(pid), []);
  sendSignal(pid, "SIGTERM");
});

test("a wait for an exit ends with the reason of its signal", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(waitForExit([process.pid], { clock: systemClock, signal }), /enough/);
});

test("a boot has an id", () => assert.match(bootId(), /^[0-9a-f-]{36}$/));

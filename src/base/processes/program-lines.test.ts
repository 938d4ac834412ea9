import assert from "node:assert/strict";
import { test } from "node:test";
import { TremplinError } from "../tremplin-error.ts";
import { type ProgramLinesOptions, programLines } from "./program-lines.ts";

const never = new AbortController().signal;
const sh = (script: string, options: Partial<ProgramLinesOptions> = {}) =>
  programLines(["sh", "-c", script], { name: "the script", signal: never, ...options });

test("standard error is yielded line by line", async () => {
  const lines = sh('echo one >&2; echo nobody sees; echo "$WORD" >&2', { env: { WORD: "two" } });
  assert.deepEqual(await Array.fromAsync(lines), ["one", "two"]);
});

test("an error has the exit code and the end of the output, apt's errors first", async () => {
  const failing = (script: string) => Array.fromAsync(sh(script));
  await assert.rejects(
    failing("echo a >&2; exit 3"),
    /^TremplinError: the script ended with 3; the end of its output: a$/,
  );
  await assert.rejects(
    failing("echo 'E: no room' >&2; echo more >&2; exit 1"),
    /the end of its output: E: no room$/,
  );
  await assert.rejects(failing("kill -9 $$"), /the script was killed by SIGKILL$/);
  await assert.rejects(
    Array.fromAsync(programLines(["/nowhere"], { name: "it", signal: never })),
    /it ended with 127/,
  );
});

test("the program ends when its reader stops or aborts", async () => {
  const lines = sh("echo $$ >&2; exec sleep 985");
  const { value: pid } = await lines.next();
  await lines.return();
  assert.throws(() => process.kill(Number(pid), 0), { code: "ESRCH" });
  const aborting = new AbortController();
  const aborted = sh("echo up >&2; exec sleep 984", { signal: aborting.signal });
  await aborted.next();
  aborting.abort(new TremplinError("cancelled", "enough"));
  await assert.rejects(aborted.next(), /enough/);
});

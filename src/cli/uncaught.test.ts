import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { openLogger } from "../base/logger.ts";
import { processIo } from "./io.ts";
import { run } from "./program.ts";
import { reportUncaught } from "./uncaught.ts";

const FULL = "/dev/full";
const how = process.argv[2] === "as-program" ? process.argv[3] : undefined;

/** Runs this file as the program; descriptors that are not given are pipes. */
async function end(mode: string, { stdout, stderr }: { stdout?: string; stderr?: string } = {}) {
  const files = [stdout, stderr].map((path) => (path === undefined ? "pipe" : openSync(path, "w")));
  const child = fork(import.meta.filename, ["as-program", mode], {
    execArgv: process.execArgv.filter((option) => !option.startsWith("--test")),
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NO_COLOR: "1" },
    stdio: ["ignore", files[0], files[1], "ipc"] as never,
  });
  for (const file of files) if (typeof file === "number") closeSync(file);
  const said = child.stderr ? text(child.stderr) : Promise.resolve("");
  if (mode === "early") child.stdout?.destroy();
  else child.stdout?.resume();
  const [code] = await once(child, "exit");
  return { code, said: await said };
}

if (how) {
  process.disconnect();
  const io = processIo();
  reportUncaught(io);
  if (how === "help" || how === "early") process.exitCode = await run(["--help"], io);
  if (how === "unreachable") process.exitCode = await run(["list", "--host", "unix:/nowhere"], io);
  if (how === "log") {
    const log = await openLogger();
    log.info("this cannot be written");
    io.out("alive\n");
  }
  if (how === "thrown") setImmediate(() => JSON.parse("{]"));
  if (how === "rejected") void Promise.reject(new Error("nobody waits for this"));
} else {
  test("results that cannot be written are a failure with one sentence", async () => {
    const { code, said } = await end("help", { stdout: FULL });
    assert.equal(code, 1);
    assert.equal(
      said,
      "tremplin: the results cannot be written: there is no space left on its file system\n",
    );
  });

  test("messages that cannot be written do not change the exit code", async () => {
    assert.equal((await end("unreachable", { stderr: FULL })).code, 4);
    assert.equal((await end("unreachable", { stdout: FULL, stderr: FULL })).code, 4);
  });

  test("a reader that stops early is no failure", async () => {
    assert.deepEqual(await end("early"), { code: 0, said: "" });
  });

  test("a log that cannot be written does not end the program", async () => {
    assert.deepEqual(await end("log", { stderr: FULL }), { code: 0, said: "" });
  });

  test("what nothing caught ends in a sentence, not in a stack trace", async () => {
    const thrown = await end("thrown");
    assert.equal(thrown.code, 1);
    assert.match(
      thrown.said,
      /^tremplin: this is a mistake in tremplin itself, please report it \(SyntaxError: .*\)\n$/,
    );
    assert.deepEqual(await end("rejected"), { code: 1, said: "tremplin: nobody waits for this\n" });
  });
}

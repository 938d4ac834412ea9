import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { RecordedIo } from "../../../test/support/command-line.ts";
import { exitCode } from "../exit-code.ts";
import { run } from "../run.ts";
import { BackgroundProcess } from "./background-process.ts";
import { ensure } from "./launch.ts";
import { isAlive } from "./process-record.ts";

const lives = [process.execPath, "-e", "console.log('begun'); setInterval(() => {}, 1000)"];
const diesAtOnce = [process.execPath, "-e", "console.error('no bridge to be had'); process.exit(3)"];

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "part-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

/** Starts a program as the part of that name, to be ended with the test. */
async function started(t: TestContext, part: BackgroundProcess, program: readonly string[]) {
  const record = await part.start(program, [part.name]);
  t.after(() => isAlive(record) && process.kill(record.pid, "SIGKILL"));
  return record;
}

test("a program is started once, and found again by who comes later", async (t) => {
  const path = await folder(t);
  const part = new BackgroundProcess("host", path);
  const answers = async () => (await part.living()) !== undefined;
  const first = await ensure(part, lives, ["host"], answers, { io: new RecordedIo() });
  t.after(() => first.record && process.kill(first.record.pid, "SIGKILL"));
  assert.equal(first.state, "started");
  const second = await ensure(new BackgroundProcess("host", path), lives, ["host"], answers, {
    io: new RecordedIo(),
  });
  assert.deepEqual(second, { ...first, state: "ran already" });
  assert.equal((await stat(part.pidFile)).mode & 0o777, 0o600);
});

test("a program that ends at once is told with the end of its log", async (t) => {
  const part = new BackgroundProcess("daemon", await folder(t));
  await writeFile(part.logFile, "what an earlier one said\n");
  const answers = () => Promise.resolve(false);
  await assert.rejects(
    ensure(part, diesAtOnce, ["daemon"], answers, { io: new RecordedIo() }),
    /the daemon ended; the end of .*daemon\.log:\n {2}no bridge to be had$/,
  );
  assert.equal(await part.record(), undefined);
});

test("a program of somebody else that answers is left alone", async (t) => {
  const part = new BackgroundProcess("host", await folder(t));
  const ensured = await ensure(part, diesAtOnce, ["host"], () => Promise.resolve(true), {
    io: new RecordedIo(),
  });
  assert.deepEqual(ensured, { name: "host", state: "ran already", record: undefined });
});

test("a log that has grown large is put aside", async (t) => {
  const part = new BackgroundProcess("host", await folder(t));
  await writeFile(part.logFile, "old");
  await truncate(part.logFile, 9 * 1024 * 1024);
  const record = await started(t, part, lives);
  assert.equal((await stat(`${part.logFile}.1`)).size, 9 * 1024 * 1024);
  assert.equal((await readFile(part.logFile, "utf8")).startsWith("old"), false);
  assert.equal(isAlive(record), true);
});

test("down asks the daemon by SIGPWR, then the host by SIGTERM, and waits for both", async (t) => {
  const path = await folder(t);
  const asked = join(path, "asked");
  const program = (signal: string) => [
    process.execPath,
    "-e",
    `const fs = require("fs");
     process.on("${signal}", () => { fs.appendFileSync("${asked}", process.argv[1] + " ${signal}\\n"); process.exit(); });
     fs.appendFileSync("${asked}.ready", "x");
     setInterval(() => {}, 1000);`,
  ];
  const daemon = await started(t, new BackgroundProcess("daemon", path), program("SIGPWR"));
  const host = await started(t, new BackgroundProcess("host", path), program("SIGTERM"));
  while ((await readFile(`${asked}.ready`, "utf8").catch(() => "")) !== "xx") await new Promise(setImmediate);
  const io = new RecordedIo();
  assert.equal(await run(["down", "--run", path], io), exitCode.done, io.stderr);
  assert.deepEqual([isAlive(daemon), isAlive(host)], [false, false]);
  assert.equal(await readFile(asked, "utf8"), "daemon SIGPWR\nhost SIGTERM\n");
  assert.match(io.stdout, /^daemon +stopped, and with it the containers and the engine\nhost +stopped\n$/);
  const again = new RecordedIo();
  assert.equal(await run(["down", "--run", path], again), exitCode.done);
  assert.match(again.stdout, /none was started by tremplin up/);
});

test("down does not wait for ever, and does not touch a stranger that has the pid now", async (t) => {
  const path = await folder(t);
  const stubborn = [
    process.execPath,
    "-e",
    "process.on('SIGPWR', () => {}); console.log(1); setInterval(() => {}, 1000)",
  ];
  const part = new BackgroundProcess("daemon", path);
  const record = await started(t, part, stubborn);
  while ((await readFile(part.logFile, "utf8")) === "") await new Promise(setImmediate);
  const io = new RecordedIo();
  assert.equal(await run(["down", "--run", path, "--timeout", "0"], io), exitCode.failed);
  assert.match(io.stderr, /is still ending after 0 s and goes on/);
  await writeFile(part.pidFile, JSON.stringify({ ...record, startedAt: "1" }));
  const after = new RecordedIo();
  assert.equal(await run(["down", "--run", path], after), exitCode.done);
  assert.match(after.stdout, /^daemon +had died before/);
  assert.equal(isAlive(record), true);
});

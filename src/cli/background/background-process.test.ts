import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { RecordedIo } from "../../../test/support/command-line.ts";
import { damagedContents } from "../../../test/support/damaged-contents.ts";
import { exitCode } from "../exit-code.ts";
import { run } from "../program.ts";
import { BackgroundProcess } from "./background-process.ts";
import { ensureRunning } from "./launch.ts";
import { isAlive } from "./process-record.ts";

const runs = [process.execPath, "-e", "console.log('begun'); setInterval(() => {}, 1000)"];
const endsAtOnce = [process.execPath, "-e", "console.error('there is no bridge'); process.exit(3)"];

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "background-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

/** Starts a program, to be ended with the test. */
async function started(
  t: TestContext,
  background: BackgroundProcess,
  program: readonly string[],
  args: readonly string[] = [background.name],
) {
  const record = await background.start(program, args);
  t.after(() => isAlive(record) && process.kill(record.pid, "SIGKILL"));
  return record;
}

test("a program is started once, and later commands find it", async (t) => {
  const path = await folder(t);
  const background = new BackgroundProcess("host", path);
  const answers = async () => (await background.findRunning()) !== undefined;
  const first = await ensureRunning(background, runs, ["host"], answers, { io: new RecordedIo() });
  t.after(() => first.record && process.kill(first.record.pid, "SIGKILL"));
  assert.equal(first.state, "started");
  const second = await ensureRunning(new BackgroundProcess("host", path), runs, ["host"], answers, {
    io: new RecordedIo(),
  });
  assert.deepEqual(second, { ...first, state: "ran already" });
  assert.equal((await stat(background.pidFile)).mode & 0o777, 0o600);
});

test("the error for a program that ends at once has the end of its log", async (t) => {
  const background = new BackgroundProcess("daemon", await folder(t));
  await writeFile(background.logFile, "the log of an earlier process\n");
  const answers = () => Promise.resolve(false);
  await assert.rejects(
    ensureRunning(background, endsAtOnce, ["daemon"], answers, { io: new RecordedIo() }),
    /the daemon ended; the end of .*daemon\.log:\n {2}there is no bridge$/,
  );
  assert.equal(await background.record(), undefined);
});

test("a program that was started otherwise and answers is left alone", async (t) => {
  const background = new BackgroundProcess("host", await folder(t));
  const ensured = await ensureRunning(background, endsAtOnce, ["host"], () => Promise.resolve(true), {
    io: new RecordedIo(),
  });
  assert.deepEqual(ensured, { name: "host", state: "ran already", record: undefined });
});

test("a large log is rotated", async (t) => {
  const background = new BackgroundProcess("host", await folder(t));
  await writeFile(background.logFile, "x".repeat(9 * 1024 * 1024));
  const record = await started(t, background, runs);
  const old = await stat(`${background.logFile}.1`);
  assert.ok(old.size > 8 * 1024 * 1024 && old.size <= 9 * 1024 * 1024, `${old.size}`);
  assert.equal(old.mode & 0o777, 0o600);
  assert.ok((await stat(background.logFile)).size < 8 * 1024);
  assert.equal(isAlive(record), true);
});

test("down sends SIGPWR to the daemon, then SIGTERM to the host, and waits for both", async (t) => {
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
  assert.match(io.stdout, /^daemon +stopped, with the containers and the engine\nhost +stopped\n$/);
  const again = new RecordedIo();
  assert.equal(await run(["down", "--run", path], again), exitCode.done);
  assert.match(again.stdout, /not started by tremplin up/);
});

test("a damaged pid file is set aside, and written again for the process that runs", async (t) => {
  const path = join(await folder(t), "jürgen");
  const background = new BackgroundProcess("host", path);
  const args = ["host", "--listen", `unix:${join(path, "host.sock")}`];
  const record = await started(t, background, runs, args);
  let count = 0;
  for (const content of Object.values(damagedContents)) {
    await writeFile(background.pidFile, content);
    assert.deepEqual(await new BackgroundProcess("host", path).findRunning(), record);
    assert.deepEqual(await background.record(), record);
    const kept = (await readdir(path)).filter((name) => name.endsWith(".unreadable"));
    assert.equal(kept.length, ++count);
  }
  const io = new RecordedIo();
  await writeFile(background.pidFile, "{");
  assert.equal(await run(["down", "--run", path], io), exitCode.done, io.stderr);
  assert.match(io.stdout, /host +stopped$/m);
  assert.equal(isAlive(record), false);
  await writeFile(background.pidFile, "{");
  assert.equal(await background.record(), undefined);
});

test("down stops waiting after its timeout, and leaves another process with the same pid alone", async (t) => {
  const path = await folder(t);
  const stubborn = [
    process.execPath,
    "-e",
    "process.on('SIGPWR', () => {}); console.log(1); setInterval(() => {}, 1000)",
  ];
  const background = new BackgroundProcess("daemon", path);
  const record = await started(t, background, stubborn);
  while ((await readFile(background.logFile, "utf8")) === "") await new Promise(setImmediate);
  const io = new RecordedIo();
  assert.equal(await run(["down", "--run", path, "--timeout", "0"], io), exitCode.failed);
  assert.match(io.stderr, /is still shutting down after 0 s/);
  await writeFile(background.pidFile, JSON.stringify({ ...record, startedAt: "1" }));
  const after = new RecordedIo();
  assert.equal(await run(["down", "--run", path], after), exitCode.done);
  assert.match(after.stdout, /^daemon +had died before/);
  assert.equal(isAlive(record), true);
});

test("up and down refuse a run folder that others can change, and what its pid file names goes on", async (t) => {
  const path = await folder(t);
  const record = await started(t, new BackgroundProcess("daemon", path), runs);
  await chmod(path, 0o777);
  for (const command of ["down", "up"]) {
    const io = new RecordedIo();
    assert.equal(await run([command, "--run", path], io), exitCode.usage, io.stderr);
    assert.match(io.stderr, /other users can write to .*chmod go-w/);
  }
  assert.equal(isAlive(record), true);
});

test("a process with other arguments than the recorded ones is not ours", async (t) => {
  const background = new BackgroundProcess("daemon", await folder(t));
  const record = await started(t, background, runs);
  assert.equal(isAlive(record), true);
  assert.equal(isAlive({ ...record, words: ["host"] }), false);
});

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { appendFile, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { repository } from "../../../test/support/repository.ts";
import { silentLogger } from "../logger.ts";
import { rotateLog, rotateLogs } from "./rotate-logs.ts";

const MAX_BYTES = 64 * 1024;

async function newLog(t: TestContext, base = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(base, "rotate-logs-"));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, "a.log");
}

/** Another program that appends numbered lines, without pause until there is twice as much as there may be. */
function writer(t: TestContext, path: string): ChildProcess {
  const script = `
    const fs = require("fs");
    const fd = fs.openSync(${JSON.stringify(path)}, "a", 0o600);
    let line = 0;
    const write = () => {
      for (let i = 0; i < 9 && fs.fstatSync(fd).size < ${MAX_BYTES * 1.5}; i++)
        fs.writeSync(fd, "line " + ++line + " " + "x".repeat(90) + "\\n");
      setImmediate(write);
    };
    process.stdin.once("data", () => { console.log(line); process.exit(); });
    write();`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

/** Ends a writer. Returns how many lines it wrote. */
async function finish(child: ChildProcess): Promise<number> {
  child.stdin?.write("stop");
  const [text] = await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data");
  return Number(text);
}

async function textOf(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}

function linesIn(text: string): number[] {
  return [...text.matchAll(/^line (\d+) x{90}$/gm)].map(([, line]) => Number(line));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

test("a log to which another program appends is rotated many times, stays small, and loses no line", async (t) => {
  const path = await newLog(t);
  const child = writer(t, path);
  let all = "";
  for (let rotations = 0; rotations < 30; ) {
    await new Promise(setImmediate);
    if (!(await rotateLog(path, MAX_BYTES))) continue;
    rotations++;
    all += await textOf(`${path}.1`);
    for (const each of [path, `${path}.1`]) assert.ok((await stat(each)).size <= 2 * MAX_BYTES);
  }
  const count = await finish(child);
  all += await textOf(path);
  assert.deepEqual(linesIn(all), upTo(count));
  assert.deepEqual((await readdir(join(path, ".."))).sort(), ["a.log", "a.log.1"]);
  assert.equal((await stat(`${path}.1`)).mode & 0o777, 0o600);
});

const lines = upTo(1_000).map((line) => `line ${line} ${"x".repeat(90)}\n`);

async function linesBeside(path: string): Promise<number[]> {
  const seen = new Set([...linesIn(await textOf(`${path}.1`)), ...linesIn(await textOf(path))]);
  // One may be cut in two.
  for (const line of linesIn((await textOf(`${path}.1`)) + (await textOf(path)))) seen.add(line);
  return [...seen].sort((a, b) => a - b);
}

test("a rotation that is killed at any instant loses no line, and the next one goes on", async (t) => {
  const module = join(repository, "src/base/files/rotate-logs.ts");
  for (let kill = 0; kill < 8; kill++) {
    const path = await newLog(t);
    await writeFile(path, lines.join(""));
    const script = `const { rotateLog } = await import(${JSON.stringify(module)}); console.log("now"); await rotateLog(${JSON.stringify(path)}, ${MAX_BYTES});`;
    const rotating = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(rotating.stdout, "data");
    for (let turn = 0; turn < kill * 20; turn++) await new Promise(setImmediate);
    rotating.kill("SIGKILL");
    await once(rotating, "exit");
    assert.deepEqual(await linesBeside(path), upTo(1_000));
    await rotateLog(path, MAX_BYTES);
    assert.deepEqual(await linesBeside(path), upTo(1_000));
    assert.ok((await stat(path)).size <= MAX_BYTES);
  }
});

test("what a killed rotation left, before and after it put the old log in its place, is no obstacle", async (t) => {
  for (const [unfinished, old] of [
    ["line 1", "older"],
    ["", lines.slice(0, 900).join("")],
  ] as const) {
    const path = await newLog(t);
    await writeFile(path, lines.join(""));
    await writeFile(`${path}.1.new`, unfinished, { mode: 0o644 });
    await writeFile(`${path}.1`, old);
    assert.equal(await rotateLog(path, MAX_BYTES), true);
    assert.deepEqual(await linesBeside(path), upTo(1_000));
    assert.equal((await stat(`${path}.1`)).mode & 0o777, 0o600);
  }
});

test("where the front of a file cannot be removed, this process loses nothing of its own log either", async (t) => {
  const path = await newLog(t, "/dev/shm");
  for (const line of lines.slice(0, 700)) await appendFile(path, line);
  const rotated = rotateLog(path, MAX_BYTES);
  for (const line of lines.slice(700)) await appendFile(path, line);
  assert.equal(await rotated, true);
  assert.deepEqual(await linesBeside(path), upTo(1_000));
  assert.ok((await stat(path)).size <= MAX_BYTES);
});

test("a write that is short loses nothing", async (t) => {
  const path = await newLog(t, "/dev/shm");
  await writeFile(path, lines.join(""));
  const { writeSync } = fs;
  const short = (fd: number, buffer: Buffer, start: number, bytes: number) =>
    writeSync(fd, buffer, start, Math.min(bytes, 100));
  const mocked = t.mock.method(fs, "writeSync", short as typeof writeSync);
  syncBuiltinESMExports();
  t.after(() => {
    mocked.mock.restore();
    syncBuiltinESMExports();
  });
  assert.equal(await rotateLog(path, MAX_BYTES), true);
  assert.ok(mocked.mock.callCount() > 1);
  assert.deepEqual((await linesBeside(path)).at(-1), 1_000);
});

test("no log, a small one, a pipe and a link are left alone", async (t) => {
  const path = await newLog(t);
  assert.equal(await rotateLog(path, MAX_BYTES), false);
  await writeFile(path, "small");
  assert.equal(await rotateLog(path, MAX_BYTES), false);
  await writeFile(`${path}.target`, lines.join(""));
  await symlink(`${path}.target`, `${path}.link`);
  await assert.rejects(rotateLog(`${path}.link`, MAX_BYTES), { code: "ELOOP" });
  assert.equal(await textOf(`${path}.target`), lines.join(""));
});

test("several logs are looked at again and again, until the signal", async (t) => {
  const [path, other] = [await newLog(t), await newLog(t)];
  const clock = new ManualClock();
  const ended = new AbortController();
  const logs = [
    { path: `${path}.missing` },
    { path, maxBytes: MAX_BYTES },
    { path: other, maxBytes: MAX_BYTES },
  ];
  const done = rotateLogs(logs, { clock, log: silentLogger, signal: ended.signal });
  await clock.sleeping();
  await writeFile(other, lines.join(""));
  await clock.advance(2_000);
  await clock.sleeping();
  assert.ok((await stat(other)).size <= MAX_BYTES);
  ended.abort();
  await done;
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RecordedIo } from "../../../../test/support/command-line.ts";
import { MachineFolder } from "../../../machine/machine-folder.ts";
import { BackgroundProcess } from "../../background/background-process.ts";
import { isAlive } from "../../background/process-record.ts";
import { run } from "../../program.ts";

const runs = [process.execPath, "-e", "setInterval(() => {}, 1000)"];

test("a machine that was never built is not found, and no folder is made for it", async (t) => {
  const machines = await mkdtemp(join(tmpdir(), "tremplin-"));
  t.after(() => rm(machines, { recursive: true }));
  for (const command of ["down", "shell"]) {
    const io = new RecordedIo();
    assert.equal(await run(["machine", command, "--folder", machines], io), 3);
    assert.match(io.stderr, /there is no machine default in .*; tremplin machine up builds it/);
  }
  assert.deepEqual(await readdir(machines), []);
});

test("a machine whose QEMU does not answer at first is powered off, not killed", async (t) => {
  const machines = await mkdtemp(join(tmpdir(), "tremplin-"));
  t.after(() => rm(machines, { recursive: true }));
  const folder = new MachineFolder("main", machines);
  const record = await new BackgroundProcess("machine", folder.run).start(runs, []);
  t.after(() => isAlive(record) && process.kill(record.pid, "SIGKILL"));
  let calls = 0;
  const qemu = createServer((socket) => {
    if (++calls === 1) socket.destroy();
    socket.on("data", (request) => {
      if (!request.includes("system_powerdown")) return;
      socket.write('{"return": {}, "id": "command"}\n');
      process.kill(record.pid, "SIGTERM");
    });
  });
  t.after(() => qemu.close());
  qemu.listen(folder.monitor);
  await once(qemu, "listening");
  const io = new RecordedIo();
  const code = await run(["machine", "down", "--folder", machines, "--name", "main"], io);
  assert.equal(code, 0, io.stderr);
  assert.match(io.stdout, /^machine +powered off$/m);
});

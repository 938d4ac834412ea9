import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLinePlace, RecordedIo } from "../../../test/support/command-line.ts";

test("export shows files and bytes, and says where the backup is", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "running");
  const { code, stdout, stderr } = await at.say("export web backups/web.tar.gz");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "web: exported, 1 KiB, to backups/web.tar.gz in the shared folder\n");
  assert.match(stderr, /^exporting web: taking a snapshot and counting its files$/m);
  assert.match(stderr, /packing, 5 of 10 files, 1 KiB of 2 KiB, 512 B written 50 %/);
  assert.deepEqual(at.guest.asked, ["export web", "to backups/web.tar.gz"]);
});

test("export names a file itself when none is named", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "running");
  assert.match((await at.say("export web")).stdout, /, to web-\d{8}-\d{6}\.tar\.gz in the shared folder\n$/);
});

test("what is not there cannot be exported", async (t) => {
  const at = await CommandLinePlace.open(t);
  const { code, stderr } = await at.say("export web");
  assert.equal(code, 3);
  assert.match(stderr, /there is no container web/);
});

for (const line of ["export web web.tar.gz", "import web web.tar.gz --yes"]) {
  const [verb] = line.split(" ") as [string];
  test(`${verb}: Ctrl-C cancels, waits for the end of that and says so`, async (t) => {
    const at = await CommandLinePlace.open(t);
    at.guest.containers.set("web", "stopped");
    at.guest.gate = new Promise(() => undefined);
    const io = new RecordedIo();
    const running = at.run(line, io);
    await io.written(/packing|uploading/);
    io.ctrlC();
    assert.equal(await running, 130);
    assert.match(io.stderr, new RegExp(`^cancelling ${verb}ing web$`, "m"));
    assert.match(io.stderr, new RegExp(`^tremplin: web: ${verb}ing was cancelled$`, "m"));
    assert.ok(at.guest.asked.includes("cancel"));
  });

  test(`${verb} --detach comes back at once`, async (t) => {
    const at = await CommandLinePlace.open(t);
    at.guest.containers.set("web", "stopped");
    at.guest.gate = new Promise(() => undefined);
    const { code, stdout } = await at.say(`${line} --detach`);
    assert.equal(code, 0);
    assert.match(stdout, /^web: goes on in the background; tremplin watch --after \d+ shows how\n$/);
  });
}

test("import makes a container that is not there without a question", async (t) => {
  const at = await CommandLinePlace.open(t);
  const { code, stdout, stderr } = await at.say("import web web.tar.gz");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "web: imported\n");
  assert.match(stderr, /unpacking the backup, 2 KiB\/s 55 %/);
});

test("import asks before it replaces a container", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "stopped");
  assert.equal((await at.say("import web web.tar.gz")).code, 2);
  const io = new RecordedIo();
  io.answers.push("no", "y");
  assert.equal(await at.run("import web web.tar.gz", io), 1);
  assert.match(io.stderr, /web was not replaced/);
  assert.deepEqual(at.guest.asked, []);
  assert.equal(await at.run("import web web.tar.gz", io), 0);
});

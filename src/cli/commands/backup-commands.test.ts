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

const EARLIER = "00000000000000aa";

for (const [verb, method, done] of [
  ["export", "updateExportStatus", "web: exported, 1 KiB, to web.tar.gz in the shared folder\n"],
  ["import", "updateImportStatus", "web: imported\n"],
] as const) {
  const line = verb === "export" ? "export web web.tar.gz" : "import web web.tar.gz --yes";

  for (const [status, fault] of [
    [1, "the disk is full"],
    [2, ""],
  ] as const) {
    test(`${verb}: the end (${status}) of an earlier ${verb} that comes late is not taken for its own`, async (t) => {
      const at = await CommandLinePlace.open(t);
      at.guest.containers.set("web", "stopped");
      const gate = Promise.withResolvers<void>();
      at.guest.gate = gate.promise;
      at.guest.fault = fault;
      const io = new RecordedIo();
      const running = at.run(line, io);
      await io.written(/packing|unpacking/);
      await at.guest.tell(method, { containerName: "web", status, bytesExported: 450_887_680n }, EARLIER);
      gate.resolve();
      assert.equal(await running, fault ? 1 : 0, io.stderr);
      assert.equal(io.stdout, fault ? "" : done);
      if (fault) assert.match(io.stderr, /failed: the disk is full$/m);
    });
  }

  test(`${verb}: Ctrl-C waits for the end of its own operation and means no other`, async (t) => {
    const at = await CommandLinePlace.open(t);
    at.guest.containers.set("web", "stopped");
    const gate = Promise.withResolvers<void>();
    at.guest.gate = gate.promise;
    const io = new RecordedIo();
    const running = at.run(line, io);
    await io.written(/packing|unpacking/);
    // The guest has ended it already, its notice is on the way, and it works on something else of that container.
    const [own] = at.guest.operations.splice(0, 1);
    assert.ok(own);
    at.guest.operations.push({ id: EARLIER, kind: verb, containerName: "web" });
    io.ctrlC();
    await io.written(/cancelling/);
    const cancelled = verb === "export" ? 8 : 7;
    await at.guest.tell(method, { containerName: "web", status: cancelled }, EARLIER);
    gate.resolve();
    assert.equal(await running, 0, io.stderr);
    assert.ok(!at.guest.asked.includes("cancel"));
  });

  test(`${verb} --json names the operation`, async (t) => {
    const at = await CommandLinePlace.open(t);
    at.guest.containers.set("web", "stopped");
    const gate = Promise.withResolvers<void>();
    at.guest.gate = gate.promise;
    const io = new RecordedIo();
    const running = at.run(`${line} --json`, io);
    await io.written(/"operation"/);
    const id = at.guest.operations[0]?.id;
    gate.resolve();
    assert.equal(await running, 0);
    const documents = io.stdout
      .trim()
      .split("\n")
      .map((each) => JSON.parse(each));
    assert.ok(documents.length > 2);
    assert.deepEqual(
      documents.map(({ event, operation }) => event?.operation ?? operation),
      documents.map(() => id),
    );
    assert.equal(JSON.parse((await at.say(`${line} --json --detach`)).stdout).result.split(" ")[0], "goes");
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

import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";

const EARLIER = "00000000000000aa";

test("the message of a failure has its reason", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.fault = "the disk is full";
  const { code, stdout, stderr } = await at.output("create web --image-server https://x --alias y");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /^tremplin: web: creating failed: the disk is full$/m);
});

test("a missing container is exit code 3, a busy one 5", async (t) => {
  const at = await CommandLineFixture.open(t);
  for (const line of ["start web", "stop web", "delete web --yes", "info web"]) {
    const { code, stderr } = await at.output(line);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /there is no container web/);
  }
  at.guest.containers.set("web", "stopped");
  at.guest.operations.push({ id: "1", kind: "export", containerName: "web" });
  const { code, stderr } = await at.output("start web");
  assert.equal(code, 5);
  assert.match(stderr, /starting web was refused: export of web is under way/);
});

test("Ctrl-C ends the command, not the operation, and says how to follow it", async (t) => {
  const at = await CommandLineFixture.open(t);
  const gate = Promise.withResolvers<void>();
  at.guest.gate = gate.promise;
  const io = new RecordedIo();
  const running = at.run("create web --image-server https://x --alias y", io);
  await io.written(/fetching the image 100 %/);
  io.ctrlC();
  assert.equal(await running, 130);
  const next = /creating web continues in the background; follow it with tremplin watch --after (\d+)/.exec(
    io.stderr,
  )?.[1];
  const watching = new RecordedIo();
  const watch = at.run(`watch --after ${next}`, watching);
  gate.resolve();
  await watching.written(/web: created/);
  watching.ctrlC();
  assert.equal(await watch, 130);
  assert.equal(at.guest.containers.get("web"), "stopped");
});

test("a command reconnects to a host that was unreachable, and misses no event", async (t) => {
  const at = await CommandLineFixture.open(t);
  const gate = Promise.withResolvers<void>();
  at.guest.gate = gate.promise;
  const io = new RecordedIo();
  const running = at.run("create web --image-server https://x --alias y", io);
  await io.written(/fetching the image 100 %/);
  await at.closeHost();
  await io.written(/creating web: (lost the connection to the host|nothing listens) at/);
  gate.resolve();
  await at.openHost();
  assert.equal(await running, 0, io.stderr);
  assert.equal(io.stdout, "web: created\n");
});

for (const line of ["export web --shared web.tar.gz", "import web --shared web.tar.gz --yes"]) {
  const [verb] = line.split(" ") as [string];
  test(`${verb}: Ctrl-C cancels the operation and waits for its end`, async (t) => {
    const at = await CommandLineFixture.open(t);
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

  test(`${verb} --detach returns at once`, async (t) => {
    const at = await CommandLineFixture.open(t);
    at.guest.containers.set("web", "stopped");
    at.guest.gate = new Promise(() => undefined);
    const { code, stdout } = await at.output(`${line} --detach`);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^web: continues in the background; follow it with tremplin watch --after \d+, or cancel/,
    );
  });
}

for (const [verb, method, done] of [
  ["export", "updateExportStatus", "/web.tar.gz in the shared folder of the guest\n"],
  ["import", "updateImportStatus", "web: imported\n"],
] as const) {
  const line = `${verb} web --shared web.tar.gz --yes`;

  for (const [status, fault] of [
    [1, "the disk is full"],
    [2, ""],
  ] as const) {
    test(`${verb}: a late end (${status}) of an earlier ${verb} is not its own end`, async (t) => {
      const at = await CommandLineFixture.open(t);
      at.guest.containers.set("web", "stopped");
      const gate = Promise.withResolvers<void>();
      at.guest.gate = gate.promise;
      at.guest.fault = fault;
      const io = new RecordedIo();
      const running = at.run(line, io);
      await io.written(/packing|unpacking/);
      await at.guest.notify(method, { containerName: "web", status, bytesExported: 450_887_680n }, EARLIER);
      gate.resolve();
      assert.equal(await running, fault ? 1 : 0, io.stderr);
      assert.ok(fault ? io.stdout === "" : io.stdout.endsWith(done), io.stdout);
      if (fault) assert.match(io.stderr, /failed: the disk is full$/m);
    });
  }

  test(`${verb}: Ctrl-C cancels its own operation and no other`, async (t) => {
    const at = await CommandLineFixture.open(t);
    at.guest.containers.set("web", "stopped");
    const gate = Promise.withResolvers<void>();
    at.guest.gate = gate.promise;
    const io = new RecordedIo();
    const running = at.run(line, io);
    await io.written(/packing|unpacking/);
    // The guest has ended it, the notice is on its way, and another operation of that container has begun.
    const [own] = at.guest.operations.splice(0, 1);
    assert.ok(own);
    at.guest.operations.push({ id: EARLIER, kind: verb, containerName: "web" });
    io.ctrlC();
    await io.written(/cancelling/);
    const cancelled = verb === "export" ? 8 : 7;
    await at.guest.notify(method, { containerName: "web", status: cancelled }, EARLIER);
    gate.resolve();
    assert.equal(await running, 0, io.stderr);
    assert.ok(!at.guest.asked.includes("cancel"));
  });

  test(`${verb} --json names the operation`, async (t) => {
    const at = await CommandLineFixture.open(t);
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
    assert.equal(
      JSON.parse((await at.output(`${line} --json --detach`)).stdout).result.split(" ")[0],
      "continues",
    );
  });
}

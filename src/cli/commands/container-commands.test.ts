import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLinePlace, RecordedIo } from "../../../test/support/command-line.ts";

test("create builds the image, asks, and waits for the end", async (t) => {
  const at = await CommandLinePlace.open(t);
  const { code, stdout, stderr } = await at.say("create web --debian bookworm");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "web: created\n");
  assert.match(stderr, /image: packing 90 %\n(.*\n)*.*fetching the image 50 %/);
  assert.equal(at.guest.containers.get("web"), "stopped");
});

test("what is so already is done", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "running");
  assert.equal(
    (await at.say("create web --debian bookworm")).stdout,
    "web: exists already; it was left as it is\n",
  );
  assert.equal((await at.say("start web")).stdout, "web: runs already\n");
  const later = (await at.say("start web --privileged")).stdout;
  assert.equal(later, "web: runs already; privileged from its next start on: stop it, and start it again\n");
  at.guest.containers.set("web", "stopped");
  assert.equal((await at.say("stop web")).stdout, "web: is stopped already\n");
  assert.deepEqual(at.guest.asked, []);
});

test("start, stop and delete wait for their final notices", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "stopped");
  assert.deepEqual((await at.say("start web")).stdout, "web: started\n");
  assert.deepEqual((await at.say("stop web")).stdout, "web: stopped\n");
  assert.deepEqual((await at.say("delete web --yes")).stdout, "web: deleted\n");
  assert.deepEqual(at.guest.asked, ["start web", "stop web", "delete web"]);
});

test("a failure is told with its reason", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.fault = "the disk is full";
  const { code, stdout, stderr } = await at.say("create web --image-server https://x --alias y");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /^tremplin: web: creating failed: the disk is full$/m);
});

test("what is not there is told apart from what is busy", async (t) => {
  const at = await CommandLinePlace.open(t);
  for (const line of ["start web", "stop web", "delete web --yes", "info web"]) {
    const { code, stderr } = await at.say(line);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /there is no container web/);
  }
  at.guest.containers.set("web", "stopped");
  at.guest.operations.push({ id: "1", kind: "export", containerName: "web" });
  const { code, stderr } = await at.say("start web");
  assert.equal(code, 5);
  assert.match(stderr, /starting web was refused: export of web is under way/);
});

for (const line of [
  "create web",
  "create web --image-server https://x",
  "create web --rootfs /a",
  "create web --debian bookworm --rootfs /a --metadata /b",
  "create",
  "start web --privileged --unprivileged",
  "frobnicate",
]) {
  test(`"${line}" is wrong usage and asks nobody`, async (t) => {
    const at = await CommandLinePlace.open(t);
    assert.equal(await at.run(line), 2);
    assert.deepEqual(at.guest.asked, []);
  });
}

test("delete asks the person, and without one wants --yes", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "stopped");
  const nobody = await at.say("delete web");
  assert.equal(nobody.code, 2);
  assert.match(nobody.stderr, /--yes/);
  const io = new RecordedIo();
  io.answers.push("no", "y");
  assert.equal(await at.run("delete web", io), 1);
  assert.equal(at.guest.containers.has("web"), true);
  assert.equal(await at.run("delete web", io), 0);
  assert.equal(at.guest.containers.has("web"), false);
});

test("Ctrl-C ends the waiting, says where to go on, and leaves the work alone", async (t) => {
  const at = await CommandLinePlace.open(t);
  const gate = Promise.withResolvers<void>();
  at.guest.gate = gate.promise;
  const io = new RecordedIo();
  const running = at.run("create web --image-server https://x --alias y", io);
  await io.written(/fetching the image 100 %/);
  io.ctrlC();
  assert.equal(await running, 130);
  const next = /creating web goes on in the background; tremplin watch --after (\d+) shows how/.exec(
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

test("a host that goes away in the middle is called again, and no end is missed", async (t) => {
  const at = await CommandLinePlace.open(t);
  const gate = Promise.withResolvers<void>();
  at.guest.gate = gate.promise;
  const io = new RecordedIo();
  const running = at.run("create web --image-server https://x --alias y", io);
  await io.written(/fetching the image 100 %/);
  await at.closeHost();
  await io.written(/creating web: (lost the host|nothing listens) at/);
  gate.resolve();
  await at.openHost();
  assert.equal(await running, 0, io.stderr);
  assert.equal(io.stdout, "web: created\n");
});

test("for programs: JSON lines of what happens, then the result", async (t) => {
  const at = await CommandLinePlace.open(t);
  const { code, stdout, stderr } = await at.say("create web --debian bookworm --json");
  assert.equal(code, 0);
  assert.equal(stderr, "");
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.slice(0, 3).map(({ image }) => image.percent),
    [10, 90, 100],
  );
  assert.equal(lines.at(-2).event.create.status, "CREATED");
  const { operation } = lines.at(-2).event;
  assert.ok(operation);
  assert.deepEqual(lines.at(-1), { container: "web", result: "created", operation });
});

test("nobody to ask: 4, and the sentence says what to do", async (t) => {
  const at = await CommandLinePlace.open(t);
  await at.guest.close();
  const guest = await at.say("list");
  assert.equal(guest.code, 4);
  assert.match(
    guest.stderr,
    /cannot reach guest vm at unix:\S+: nothing listens there; tremplin doctor says what to do$/m,
  );
  await at.closeHost();
  for (const line of ["list", "status", "start web", "watch"]) {
    const { code, stderr } = await at.say(line);
    assert.equal(code, 4);
    assert.match(stderr, /nothing listens at unix:.*tremplin up/);
  }
});

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";

async function withWeb(t: TestContext): Promise<CommandLineFixture> {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  return at;
}

test("snapshot takes one by its name or by a free one, and passes on how long it lives", async (t) => {
  const at = await withWeb(t);
  assert.equal((await at.output("snapshot web")).stdout, "web: snapshot snap0 taken\n");
  assert.equal((await at.output("snapshot web old --expires 2d")).stdout, "web: snapshot old taken\n");
  assert.deepEqual(at.guest.asked, ["snapshot web", "snapshot for 172800 s of web"]);
  const again = await at.output("snapshot web old");
  assert.equal(again.code, 1);
  assert.match(again.stderr, /web\/old exists/);
  assert.equal((await at.output("snapshot nope")).code, 3);
  assert.equal((await at.output("snapshot web s --expires soon")).code, 2);
});

test("Ctrl-C cancels a snapshot and waits for its end", async (t) => {
  const at = await withWeb(t);
  at.guest.gate = new Promise(() => undefined);
  const io = new RecordedIo();
  const running = at.run("snapshot web", io);
  await io.written(/taking a snapshot/);
  await new Promise((resolve) => setImmediate(resolve));
  await io.written(/accepted|taking/);
  io.ctrlC();
  assert.equal(await running, 130);
  assert.equal(at.guest.snapshots.size, 0);
});

test("no command is named that cancels a snapshot or a restore, since there is none", async (t) => {
  const at = await withWeb(t);
  at.guest.snapshots.add("web/old");
  for (const kind of ["snapshot", "copy", "restore", "upgrade-rollback"]) {
    at.guest.operations.splice(0, Infinity, { id: "1", kind, containerName: "web" });
    at.guest.containers.set("web", "stopped");
    const busy = await at.output("start web");
    assert.equal(busy.code, 5, busy.stderr);
    assert.doesNotMatch(busy.stderr, /--cancel/);
  }
  at.guest.operations.splice(0);
  at.guest.gate = new Promise(() => undefined);
  const io = new RecordedIo();
  const restoring = at.run("restore web old --yes", io);
  await io.written(/accepted by the guest/);
  io.ctrlC();
  assert.equal(await restoring, 130);
  assert.match(io.stderr, /returning web to old continues in the background/);
  assert.doesNotMatch(io.stderr, /--cancel/);
});

test("snapshots lists those of one container or of all, and whose they are", async (t) => {
  const at = await withWeb(t);
  assert.match((await at.output("snapshots web")).stderr, /web has no snapshot; tremplin snapshot web/);
  at.guest.snapshots.add("web/old").add("web/tremplin-upgrade-1").add("db/one");
  const { stdout } = await at.output("snapshots");
  assert.match(stdout, /^CONTAINER +SNAPSHOT +TAKEN +EXPIRES +OF$/m);
  assert.match(stdout, /^web +old +2026-11-30.* never +you$/m);
  assert.match(stdout, /^web +tremplin-upgrade-1 .* upgrade \(rollback\)$/m);
  const { snapshots } = JSON.parse((await at.output("snapshots web --json")).stdout);
  assert.deepEqual(
    snapshots.map(({ name }: { name: string }) => name),
    ["old", "tremplin-upgrade-1"],
  );
  assert.equal((await at.output("snapshots nope")).code, 3);
});

test("restore says what is lost, asks, and needs --yes without a terminal", async (t) => {
  const at = await withWeb(t);
  at.guest.snapshots.add("web/old");
  const unattended = await at.output("restore web old");
  assert.equal(unattended.code, 2);
  const io = new RecordedIo();
  io.answers.push("n", "y");
  assert.equal(await at.run("restore web old", io), 1);
  assert.match(
    io.questions[0] ?? "",
    /snapshot old of 2026.*are lost.*snapshots stay.*killed at once.*\[y\/N\]/,
  );
  assert.match(io.stderr, /web was not restored/);
  assert.equal(await at.run("restore web old", io), 0);
  assert.match(io.stdout, /^web: returned to snapshot old$/m);
  const missing = await at.output("restore web nope --yes");
  assert.equal(missing.code, 3);
  assert.equal((await at.output("restore web nope")).code, 3);
});

test("delete NAME/SNAPSHOT deletes only the snapshot, after a confirmation", async (t) => {
  const at = await withWeb(t);
  at.guest.snapshots.add("web/old");
  assert.equal((await at.output("delete web/old")).code, 2);
  assert.equal((await at.output("delete web/old --yes")).stdout, "web: snapshot old deleted\n");
  assert.deepEqual([...at.guest.snapshots], []);
  assert.equal(at.guest.containers.has("web"), true);
  assert.equal((await at.output("delete web/old --yes")).code, 3);
  for (const bad of ["web/", "/old", "web/a/b"]) {
    assert.equal((await at.output(`delete ${bad} --yes`)).code, 2);
  }
});

import assert from "node:assert/strict";
import { chown, mkdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { TestDaemon } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { engineCommand, inContainer } from "../support/in-container.ts";
import { mountsUnder } from "../support/system-state.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

const UID = 61_234;
const GID = 61_235;
let daemon: TestDaemon;
let folder: string;
let outside: string;

before(async () => {
  daemon = await launchedDaemon();
  outside = join(daemon.folder, "people");
  folder = join(outside, "src");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "text"), "from the machine\n");
  for (const path of [folder, join(folder, "text")]) await chown(path, UID, GID);
  await createTiny(daemon, "web");
  await startContainer(daemon, "web");
});
after(() => daemon[Symbol.asyncDispose]());

const person = (...command: string[]) =>
  engineCommand(
    daemon,
    "exec",
    "web",
    "--user",
    "1000",
    "--group",
    "1000",
    "--disable-stdin",
    "--",
    ...command,
  );

async function refusal(call: Promise<unknown>): Promise<{ code: Code; message: string }> {
  const error = await call.then(
    () => assert.fail("it was not refused"),
    (thrown) => ConnectError.from(thrown),
  );
  return { code: error.code, message: error.rawMessage };
}

async function list() {
  return (await daemon.guest.listShares({ containerName: "web" })).shares;
}

test("a running container sees the folder at once, with the owner as its person, both ways", async () => {
  await symlink(folder, join(outside, "link"));
  const { share, notes } = await daemon.guest.createShare({
    containerName: "web",
    source: join(outside, "link"),
  });
  assert.deepEqual([share?.source, share?.path, share?.owner?.uid], [folder, "/mnt/src", UID]);
  assert.match(notes.join(), /web has no user yet/);
  assert.equal(await inContainer(daemon, "web", "stat", "-c", "%u %g", "/mnt/src/text"), "1000 1000");
  await person("sh", "-c", "echo more >> /mnt/src/text; mkdir /mnt/src/made");
  assert.equal(await readFile(join(folder, "text"), "utf8"), "from the machine\nmore\n");
  const made = await stat(join(folder, "made"));
  assert.deepEqual([made.uid, made.gid], [UID, GID]);
});

test("root of the container makes nothing that belongs to another user of the machine", async () => {
  await assert.rejects(inContainer(daemon, "web", "touch", "/mnt/src/of-root"));
  await assert.rejects(person("chown", "0:0", "/mnt/src/text"));
  const options = await inContainer(daemon, "web", "grep", " /mnt/src ", "/proc/self/mountinfo");
  assert.match(options, /nosuid,nodev/);
});

test("what a container must not see or lose is refused", async () => {
  const create = (source: string, path = "") =>
    refusal(daemon.guest.createShare({ containerName: "web", source, path }));
  for (const source of [
    "/",
    "/proc/1",
    "/sys",
    "/dev",
    "/run",
    daemon.folder,
    join(daemon.folder, "state", "lxd"),
  ]) {
    assert.equal((await create(source)).code, Code.InvalidArgument, source);
  }
  assert.match((await create("/usr")).message, /belongs to root.*--read-only/);
  for (const path of ["relative", "/", "/proc/x", "/a/../b", "/tmp/x", "/a\nb"]) {
    assert.equal((await create(folder, path)).code, Code.InvalidArgument, path);
  }
  assert.match((await create(folder, "/bin")).message, /a folder with files in it/);
  await engineCommand(
    daemon,
    "config",
    "device",
    "add",
    "web",
    "own",
    "disk",
    `source=${folder}`,
    "path=/mnt/own",
  );
  assert.equal((await create(folder, "/mnt/own")).code, Code.AlreadyExists);
  assert.equal(
    (await refusal(daemon.guest.removeShare({ containerName: "web", place: "/mnt/own" }))).code,
    Code.NotFound,
  );
  await engineCommand(daemon, "config", "device", "remove", "web", "own");
});

test("it outlives restarts; one to be read only stays so", async () => {
  const request = { containerName: "web", source: folder, path: "/mnt/read", readOnly: true };
  await daemon.guest.createShare(request);
  await daemon.guest.restartContainer({ containerName: "web" });
  await daemon.listener.final("start", "web");
  await person("touch", "/mnt/src/after");
  await assert.rejects(person("touch", "/mnt/read/after"), /Read-only/);
  await daemon.guest.removeShare({ containerName: "web", place: "/mnt/read" });
  assert.deepEqual(
    (await list()).map(({ path }) => path),
    ["/mnt/src"],
  );
});

test("it is there when an engine starts the container by itself, and not mounted while none runs", async () => {
  await engineCommand(daemon, "config", "set", "web", "boot.autostart=true");
  await daemon.stop("SIGPWR");
  assert.deepEqual(await mountsUnder(join(daemon.folder, "state", "shares")), []);
  await daemon.start();
  await daemon.tremplin.startLxd({});
  await daemon.listener.final("startLxd");
  await eventually("the share", () => person("cat", "/mnt/src/text").catch(() => undefined));
});

test("a folder that is gone keeps nothing from starting, and is seen again when it is shared again", async () => {
  await rename(folder, `${folder}-away`);
  await daemon.restart();
  await daemon.tremplin.startLxd({});
  await daemon.listener.final("startLxd");
  await engineCommand(daemon, "stop", "--force", "web");
  await startContainer(daemon, "web");
  await assert.rejects(inContainer(daemon, "web", "cat", "/mnt/src/text"));
  assert.match((await list())[0]?.problem ?? "", /there is no such file or folder/);
  await rename(`${folder}-away`, folder);
  await daemon.guest.createShare({ containerName: "web", source: folder });
  assert.match(await inContainer(daemon, "web", "cat", "/mnt/src/text"), /from the machine/);
  assert.deepEqual(
    (await list()).map(({ problem }) => problem),
    [""],
  );
});

test("a snapshot does not bring an ended share back; nothing stays mounted for a container that is gone", async () => {
  await daemon.guest.createSnapshot({ containerName: "web", snapshotName: "with" });
  await daemon.listener.final("upgrade", "web");
  await daemon.guest.removeShare({ containerName: "web", place: folder });
  await assert.rejects(inContainer(daemon, "web", "cat", "/mnt/src/text"));
  await daemon.guest.restoreSnapshot({ containerName: "web", snapshotName: "with" });
  await daemon.listener.final("upgrade", "web");
  await assert.rejects(inContainer(daemon, "web", "cat", "/mnt/src/text"));
  assert.match((await list())[0]?.problem ?? "", /not shared any more/);
  await daemon.guest.createShare({ containerName: "web", source: folder });
  await engineCommand(daemon, "delete", "--force", "web");
  const mounted = () => mountsUnder(join(daemon.folder, "state", "shares"));
  await eventually("nothing is mounted", async () => ((await mounted()).length === 0 ? true : undefined));
  await rm(outside, { recursive: true });
});

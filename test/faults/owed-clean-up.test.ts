import assert from "node:assert/strict";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Engine_State as State } from "../../src/contract/tremplin/v1/guest_pb.js";
import {
  ContainerExportProgress_Status as Exported,
  StartContainerRequest_PrivilegeLevel as Level,
  ContainerStartProgress_Status as Started,
} from "../../src/contract/tremplin_pb.js";
import { breakableEngine } from "../support/breakable-engine.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { startLxd } from "../support/database-reset.ts";
import { engineCommandLine } from "../support/engine-command-line.ts";
import { engineOf } from "../support/engine-of.ts";
import { enginePid } from "../support/engine-pid.ts";
import { eventually } from "../support/eventually.ts";
import { heldCompressor } from "../support/held-compressor.ts";
import { inContainer } from "../support/in-container.ts";
import { journalFolder, untilJournalEmpty, untilStep } from "../support/journal.ts";
import { restartDaemon } from "../support/restart-daemon.ts";
import { execute } from "../support/system-state.ts";
import {
  createTiny,
  launch,
  launchedDaemon,
  shareTinyImage,
  startContainer,
} from "../support/tiny-container.ts";

/** Many files, so that changing all their owners takes long. */
const MANY = "mkdir /root/many; cd /root/many; i=0; while [ $i -lt 15000 ]; do : > $i; i=$((i+1)); done";

async function stop(daemon: TestDaemon, name: string): Promise<void> {
  await daemon.tremplin.stopContainer({ containerName: name });
  await daemon.listener.final("stop", name);
}

/** A stopped container of many files. */
async function full(daemon: TestDaemon, name: string): Promise<void> {
  await createTiny(daemon, name);
  await startContainer(daemon, name);
  await inContainer(daemon, name, "sh", "-c", MANY);
  await stop(daemon, name);
}

async function untilFailed(daemon: TestDaemon): Promise<void> {
  await eventually("the engine to be given up", async () => {
    const { engine } = await daemon.guest.getStatus({});
    return engine?.state === State.FAILED || undefined;
  });
}

for (const survives of [true, false]) {
  test(`an engine dies for good during an id shift: recovery comes before the next engine is used (${survives ? "same daemon" : "next daemon"})`, async () => {
    await using program = await breakableEngine();
    await using daemon = await startDaemon({ env: { PATH: program.path } });
    await launch(daemon);
    await shareTinyImage(daemon);
    await full(daemon, "penguin");
    await daemon.tremplin.startContainer({ containerName: "penguin", privilegeLevel: Level.PRIVILEGED });
    await untilStep(daemon, "saved");
    const root = join(daemon.folder, "state/lxd/storage-pools/default/containers/penguin/rootfs/root/many");
    await eventually("some owners changed", async () => ((await changed(root)) > 20 ? true : undefined));
    await program.break();
    process.kill(await enginePid(daemon), "SIGKILL");
    const { status } = await daemon.listener.final("start", "penguin");
    assert.equal(status, Started.FAILED);
    await untilFailed(daemon);
    if (!survives) await daemon.restart();
    await program.mend();
    assert.equal(await startLxd(daemon), "");
    await untilJournalEmpty(daemon);
    await startContainer(daemon, "penguin", { privilegeLevel: Level.UNPRIVILEGED });
    const owners = await inContainer(
      daemon,
      "penguin",
      "sh",
      "-c",
      "stat -c %u / /root/many/* | sort | uniq -c",
    );
    assert.equal(owners, "15001 0");
    await using engine = await engineOf(daemon);
    assert.deepEqual(await engine.snapshots.list("penguin"), []);
  });
}

/** A container in whose next start all owners change, though the engine does not say that it ever ran. */
const untold: Record<string, (daemon: TestDaemon, name: string) => Promise<{ privilegeLevel: Level }>> = {
  async "a container that was never started"(daemon, name) {
    await createTiny(daemon, name);
    const folder = join(daemon.folder, "state/lxd/storage-pools/default/containers", name, "rootfs");
    await execute("sh", ["-c", MANY.replaceAll("/root/many", join(folder, "root/many"))]);
    return { privilegeLevel: Level.UNPRIVILEGED };
  },
  async "a copy"(daemon, name) {
    await full(daemon, "origin");
    await engineCommandLine(daemon)("copy", "origin", name);
    return { privilegeLevel: Level.PRIVILEGED };
  },
};

for (const [what, make] of Object.entries(untold)) {
  test(`an engine is killed during the id shift of ${what}: the next start has the right owners`, async () => {
    await using daemon = await launchedDaemon();
    const request = await make(daemon, "penguin");
    await daemon.tremplin.startContainer({ containerName: "penguin", ...request });
    await untilStep(daemon, "saved");
    const operations = async () =>
      JSON.parse(await engineCommandLine(daemon)("query", "/1.0/operations?recursion=1"));
    await eventually("the start in the engine", async () =>
      JSON.stringify(await operations()).includes("Starting") ? true : undefined,
    );
    process.kill(await enginePid(daemon), "SIGKILL");
    const { status } = await daemon.listener.final("start", "penguin");
    await untilJournalEmpty(daemon);
    if (status === Started.FAILED) await startContainer(daemon, "penguin", request);
    const owners = await inContainer(
      daemon,
      "penguin",
      "sh",
      "-c",
      "stat -c %u / /root/many/* | sort | uniq -c",
    );
    assert.equal(owners, "15001 0");
    await using engine = await engineOf(daemon);
    assert.deepEqual(await engine.snapshots.list("penguin"), []);
  });
}

/** How many files of a folder belong to root of this machine already. */
async function changed(folder: string): Promise<number> {
  const { stdout } = await execute("find", [folder, "-uid", "0", "-newermt", "@0"]).catch(() => ({
    stdout: "",
  }));
  return stdout.split("\n").length;
}

test("an engine dies for good when the backup is whole: DONE with its size, and the next engine deletes the snapshot", async () => {
  await using program = await breakableEngine();
  await using held = await heldCompressor();
  await using daemon = await startDaemon({ env: { PATH: `${program.folder}:${held.path}` } });
  await launch(daemon);
  await shareTinyImage(daemon);
  await createTiny(daemon, "penguin");
  const exportPath = join(daemon.shared, "penguin.tar.gz");
  await held.hold();
  await daemon.tremplin.exportContainer({ containerName: "penguin", exportPath });
  await held.held();
  await program.break();
  process.kill(await enginePid(daemon), "SIGKILL");
  await held.release();
  const { status, bytesExported, failureReason } = await daemon.listener.final("export", "penguin");
  assert.equal(status, Exported.DONE, failureReason);
  assert.equal(Number(bytesExported), (await stat(exportPath)).size);
  await untilFailed(daemon);
  await program.mend();
  assert.equal(await startLxd(daemon), "");
  await untilJournalEmpty(daemon);
  await using engine = await engineOf(daemon);
  assert.deepEqual(await engine.snapshots.list("penguin"), []);
});

test("no disk space for an end: the lock is kept until there is space, and the end is sent once", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "penguin");
  await daemon.stop();
  const journal = journalFolder(daemon);
  await execute("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", journal]);
  await restartDaemon(daemon);
  await daemon.tremplin.startContainer({ containerName: "penguin" });
  // The engine stands still, so that the start cannot end before there is no room.
  const pid = await enginePid(daemon);
  process.kill(pid, "SIGSTOP");
  const filler = join(journal, "filler");
  await execute("sh", ["-c", `cat /dev/zero > ${filler} 2>/dev/null || true`]);
  process.kill(pid, "SIGCONT");
  const refused = await eventually("the refusal with its reason", async () => {
    const { failureReason } = await daemon.tremplin.stopContainer({ containerName: "penguin" });
    return /cannot be written/.test(failureReason) ? failureReason : undefined;
  });
  assert.match(refused, /penguin is busy: .*its end cannot be written to the journal: .*no space left/);
  const finals = () => daemon.listener.notices.filter(({ kind, final }) => kind === "start" && final).length;
  const before = finals();
  await rm(filler);
  await daemon.listener.final("start", "penguin");
  assert.equal(finals(), before + 1);
  await untilJournalEmpty(daemon);
});

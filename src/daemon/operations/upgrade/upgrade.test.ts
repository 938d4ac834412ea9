import assert from "node:assert/strict";
import { test } from "node:test";
import { debianBench, leftOf, type Override } from "../../../../test/support/operation-bench/debian.ts";
import { nextTurn, type ReceivedMessage, until } from "../../../../test/support/operation-bench.ts";
import {
  UpgradeContainerProgress_Status as Status,
  UpgradeContainerRequest_Version as Version,
} from "../../../contract/tremplin_pb.js";

const request = { containerName: "c1", targetVersion: Version.DEBIAN_BOOKWORM };
const asBefore = { status: "Running", release: "11", mark: undefined, snapshots: [] };
const upgraded = { status: "Running", release: "12", mark: undefined };

/** How many days from now the snapshot goes. */
function days(expiresAt: string | undefined): number {
  return Math.round((Date.parse(expiresAt ?? "") - Date.now()) / 86_400_000);
}

function said({ progressMessages = [] }: ReceivedMessage): string {
  return progressMessages.join("\n");
}

test("a container is upgraded and proven, and can be rolled back for seven days", async () => {
  await using bench = await debianBench();
  const { progress, final } = await bench.run("upgrade", request);
  assert.deepEqual([final.status, final.failureReason], [Status.SUCCEEDED, ""]);
  assert.ok(progress.every(({ status }) => status === Status.IN_PROGRESS));
  const lines = [...progress, final].map(said).join("\n");
  assert.match(lines, /Setting up base-files/);
  assert.match(lines, /it runs Debian 12 \(bookworm\) now/);
  const { snapshots, ...rest } = leftOf(bench);
  assert.deepEqual(rest, upgraded);
  assert.equal(snapshots.length, 1);
  assert.match(snapshots[0] ?? "", /^tremplin-upgrade-[0-9a-f]{16}$/);
  assert.equal(days(bench.engine.instance("c1").snapshots[0]?.expiresAt), 7);
  const sources = bench.engine.instance("c1").files.read("/etc/apt/sources.list");
  assert.equal(sources, "deb https://deb.debian.org/debian bookworm main\n");
  assert.equal((await bench.run("rollbackUpgrade", { containerName: "c1" })).final.status, Status.SUCCEEDED);
  assert.deepEqual(leftOf(bench), asBefore);
});

for (const [title, passwd] of [
  ["lines of others", "root:x:0:0:root:/root:/bin/sh\nkim:x:1000:1000:Kim:/home/kim:/bin/sh\nbob:x:1001:5\n"],
  ["the line of the primary user", "root:x:0:0:root:/root:/bin/sh\nkim:x:1000:1000:Kim:/home/kim\n"],
] as const) {
  test(`account files in which ${title} are not valid do not stop an upgrade`, async () => {
    await using bench = await debianBench();
    const { files } = bench.engine.instance("c1");
    files.write("/etc/passwd", passwd);
    files.write("/etc/group", "root:x:0\nteam:x:-1:\nlast:x:5:,a,:\n");
    files.write("/etc/shadow", "root:*\n");
    const { final } = await bench.run("upgrade", request);
    assert.deepEqual([final.status, final.failureReason], [Status.SUCCEEDED, ""]);
    assert.equal(bench.engine.instance("c1").files.read("/etc/passwd"), passwd);
  });
}

test("two releases are upgraded one after the other, with a restart behind each", async () => {
  await using bench = await debianBench();
  const before = (await bench.actions.get("c1")).last_used_at;
  const { final } = await bench.run("upgrade", { ...request, targetVersion: Version.DEBIAN_TRIXIE });
  assert.equal(final.status, Status.SUCCEEDED);
  assert.equal(leftOf(bench).release, "13");
  assert.notEqual((await bench.actions.get("c1")).last_used_at, before);
});

const unfit: [title: string, reason: RegExp, override: Override, wanted?: Version][] = [
  [
    "that runs the release already",
    /it runs Debian 11 \(bullseye\) already/,
    () => undefined,
    Version.DEBIAN_BULLSEYE,
  ],
  ["that runs a newer one", /cannot be downgraded/, () => undefined, Version.DEBIAN_BUSTER],
  [
    "that holds packages back",
    /packages are held back \(vim\)/,
    (words) => (words === "apt-mark showhold" ? { stdout: "vim\n" } : undefined),
  ],
  [
    "without room",
    /too little disk space/,
    (words) => (words.startsWith("stat ") ? { stdout: "1 4096\n" } : undefined),
  ],
  ["without dpkg", /no working dpkg/, (words) => (words === "dpkg --audit" ? { exitCode: 127 } : undefined)],
  [
    "of an architecture that the release has dropped",
    /Debian 13 \(trixie\) does not support the architecture i386/,
    (words) => (words === "dpkg --print-architecture" ? { stdout: "i386\n" } : undefined),
    Version.DEBIAN_TRIXIE,
  ],
  [
    "for which apt has no plan",
    /planning the upgrade failed with exit code 100: E: Broken packages/,
    (words) =>
      words.includes("--simulate") && words.endsWith(" dist-upgrade")
        ? { exitCode: 100, stderr: "E: Broken packages\n" }
        : undefined,
  ],
  [
    "with a read-only file system",
    /it cannot write to \/usr: make it writable/,
    (words) => (words.includes('[ -w "$folder" ]') ? { stdout: "/usr\n" } : undefined),
  ],
  [
    "whose pins keep its release",
    /apt would keep base-files as it is, so this would not become Debian 12/,
    (words) => (words.includes("--simulate") ? { stdout: "Inst tool [1] (2 Debian:12 [all])\n" } : undefined),
  ],
  [
    "whose mirror lacks the release",
    /404 Not Found/,
    (words) => (words.includes("--assume-no") ? { exitCode: 100, stderr: "E: 404 Not Found\n" } : undefined),
  ],
];
for (const [title, reason, override, targetVersion = Version.DEBIAN_BOOKWORM] of unfit) {
  test(`a container ${title} FAILED, and nothing in it is changed`, async () => {
    await using bench = await debianBench(override);
    const { final } = await bench.run("upgrade", { ...request, targetVersion });
    assert.equal(final.status, Status.FAILED);
    assert.match(final.failureReason, reason);
    assert.deepEqual(leftOf(bench), asBefore);
  });
}

test("one that is no Debian, that is stopped or that is ephemeral FAILED", async () => {
  await using bench = await debianBench();
  bench.engine.instance("c1").ephemeral = true;
  assert.match((await bench.run("upgrade", request)).final.failureReason, /c1 is ephemeral/);
  bench.engine.instance("c1").ephemeral = false;
  await bench.actions.act("c1", "stop");
  assert.equal((await bench.run("upgrade", request)).final.status, Status.FAILED);
  await bench.actions.act("c1", "start");
  bench.engine.instance("c1").files.write("/etc/os-release", 'ID=arch\nNAME="Arch"\n');
  assert.match((await bench.run("upgrade", request)).final.failureReason, /only Debian can be upgraded/);
  assert.deepEqual(leftOf(bench), { ...asBefore, release: undefined });
});

test("without a snapshot nothing in the container is changed", async () => {
  await using bench = await debianBench();
  // Once while it runs, once while it is paused.
  for (let tries = 0; tries < 2; tries++) bench.engine.failNext("POST", /snapshots$/, "the pool is full");
  const { final } = await bench.run("upgrade", request);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /the pool is full/);
  assert.deepEqual(leftOf(bench), asBefore);
});

const failing: [title: string, reason: RegExp, override: Override][] = [
  [
    "apt fails twice",
    /E: broken packages/,
    (words) =>
      words.includes("--assume-yes") && words.endsWith(" dist-upgrade")
        ? { exitCode: 100, stderr: "E: broken packages\n" }
        : undefined,
  ],
  [
    "the release is not the wanted one in the end",
    /its os-release says/,
    (words) => (words.endsWith(" dist-upgrade") && words.includes("--assume-yes") ? {} : undefined),
  ],
  [
    "the person is lost",
    /does not work any more: the primary user kim/,
    (words, { instance }) => {
      if (words.endsWith(" autoremove"))
        instance.files.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
      return undefined;
    },
  ],
];
for (const [title, reason, override] of failing) {
  test(`where ${title} the container is as before, and runs`, async () => {
    await using bench = await debianBench(override);
    const { final } = await bench.run("upgrade", request);
    assert.equal(final.status, Status.FAILED);
    assert.match(final.failureReason, reason);
    assert.deepEqual(leftOf(bench), asBefore);
  });
}

test("where it does not start again it is rolled back, and runs", async () => {
  await using bench = await debianBench();
  bench.engine.hold("PUT", /state$/).release();
  bench.engine.failNext("PUT", /state$/, "no cgroup");
  const { final } = await bench.run("upgrade", request);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /no cgroup/);
  assert.deepEqual(leftOf(bench), asBefore);
});

test("where it cannot be rolled back its snapshot stays, and the reason names it", async () => {
  await using bench = await debianBench((words) => {
    if (!words.endsWith(" autoremove")) return undefined;
    // After the mark of the rollback the next change of the container is the restore.
    bench.engine.instance("c1").files.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    bench.engine.hold("PUT", /c1$/).release();
    bench.engine.failNext("PUT", /c1$/, "the pool is broken");
    return undefined;
  });
  const { final } = await bench.run("upgrade", request);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /the pool is broken/);
  const { status, snapshots, mark } = leftOf(bench);
  assert.equal(status, "Running");
  assert.equal(snapshots.length, 1);
  assert.equal(mark, undefined);
  assert.ok(final.failureReason.includes(snapshots[0] ?? "none"));
});

/** An override that holds the upgrade of all packages until it is killed. */
function endless() {
  const begun = Promise.withResolvers<void>();
  const override: Override = async (words, { killed }) => {
    if (!words.includes("--assume-yes") || !words.endsWith(" dist-upgrade")) return undefined;
    begun.resolve();
    await new Promise((resolve) => killed.addEventListener("abort", resolve));
    return {};
  };
  return { override, begun: begun.promise };
}

test("an upgrade that is cancelled FAILED with the cause, and the container is as before", async () => {
  const { override, begun } = endless();
  await using bench = await debianBench(override);
  const id = await bench.begin("upgrade", request);
  await begun;
  bench.cancel("upgrade");
  const { final } = await bench.outcome(id);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /^enough/);
  assert.deepEqual(leftOf(bench), asBefore);
});

test("when the engine dies in the middle the container is as before once it answers again", async () => {
  const { override, begun } = endless();
  await using bench = await debianBench(override);
  const id = await bench.begin("upgrade", request);
  await begun;
  await bench.engine.die();
  await nextTurn();
  await bench.engine.revive();
  await until(() => {
    bench.daemon.clock.advance(1_000);
    return bench.host.finals(id).length > 0;
  });
  const { final } = await bench.outcome(id);
  assert.equal(final.status, Status.FAILED);
  assert.deepEqual(leftOf(bench), asBefore);
});

test("a snapshot that gets no time at which it goes is owed", async () => {
  await using bench = await debianBench();
  bench.engine.failNext("PUT", /snapshots/, "the pool is busy");
  const { final } = await bench.run("upgrade", request);
  assert.equal(final.status, Status.SUCCEEDED);
  assert.match(String(await bench.owed()), /the pool is busy/);
  await bench.restart();
  assert.deepEqual(await bench.owed(), []);
  assert.equal(days(bench.engine.instance("c1").snapshots[0]?.expiresAt), 7);
});

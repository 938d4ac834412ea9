import assert from "node:assert/strict";
import { test } from "node:test";
import { debianBench, leftOf } from "../../../../test/support/operation-bench/debian.ts";
import type { OperationBench } from "../../../../test/support/operation-bench.ts";
import {
  UpgradeContainerProgress_Status as Status,
  UpgradeContainerRequest_Version as Version,
} from "../../../contract/tremplin_pb.js";

const request = { containerName: "c1", targetVersion: Version.DEBIAN_BOOKWORM };
const asBefore = { status: "Running", release: "11", mark: undefined, snapshots: [] };

for (const step of ["accepted", "container", "saved"]) {
  test(`when the daemon dies behind the step ${step} the container is as before, and runs`, async () => {
    await using bench = await debianBench();
    const id = await bench.beginUntilStep("upgrade", step, request);
    await bench.restart();
    const { status, failureReason } = (await bench.outcome(id)).final;
    assert.equal(status, Status.FAILED);
    assert.match(failureReason, /^the daemon died during the upgrade/);
    assert.deepEqual(leftOf(bench), asBefore);
  });
}

test("when the daemon dies in the middle of the upgrade the container is rolled back", async () => {
  const begun = Promise.withResolvers<void>();
  await using bench = await debianBench(async (words, { instance, killed }) => {
    if (!words.endsWith(" dist-upgrade") || !words.includes("--assume-yes")) return undefined;
    instance.files.write("/half-upgraded", "");
    begun.resolve();
    await new Promise((resolve) => killed.addEventListener("abort", resolve));
    return {};
  });
  const id = await bench.begin("upgrade", request);
  await begun.promise;
  await bench.restart();
  assert.equal((await bench.outcome(id)).final.status, Status.FAILED);
  assert.deepEqual(leftOf(bench), asBefore);
  assert.equal(bench.engine.instance("c1").files.read("/half-upgraded"), undefined);
});

test("when the daemon dies behind the step proven the upgrade has SUCCEEDED", async () => {
  await using bench = await debianBench();
  const id = await bench.beginUntilStep("upgrade", "proven", request);
  await bench.restart();
  const { status, progressMessages } = (await bench.outcome(id)).final;
  assert.equal(status, Status.SUCCEEDED);
  assert.match(String(progressMessages), /it runs Debian 12 \(bookworm\) now/);
  const snapshot = `tremplin-upgrade-${id}`;
  const left = { status: "Running", release: "12", mark: undefined, snapshots: [snapshot] };
  assert.deepEqual(leftOf(bench), left);
  assert.ok(Date.parse(bench.engine.instance("c1").snapshots[0]?.expiresAt ?? "") > Date.now());
});

for (const step of ["failed", "back", "undone"]) {
  test(`when the daemon dies in the rollback, behind the step ${step}, that is carried to its end`, async () => {
    await using bench = await debianBench((words) =>
      words.endsWith(" dist-upgrade") && words.includes("--assume-yes") ? { exitCode: 100 } : undefined,
    );
    const id = await bench.beginUntilStep("upgrade", step, request);
    await bench.restart();
    const { status, failureReason } = (await bench.outcome(id)).final;
    assert.equal(status, Status.FAILED);
    assert.match(failureReason, /the upgrade to bookworm failed with exit code 100/);
    assert.deepEqual(leftOf(bench), asBefore);
  });
}

const cases: [
  title: string,
  act: (bench: OperationBench) => Promise<unknown>,
  name: string,
  status: string,
][] = [
  [
    "restarted it",
    async ({ actions: hands }) => {
      await hands.act("c1", "stop");
      await hands.act("c1", "start");
    },
    "c1",
    "Running",
  ],
  ["changed its settings", ({ actions: hands }) => hands.set("c1", { "user.own": "yes" }), "c1", "Running"],
  [
    "renamed it",
    async ({ actions: hands }) => {
      await hands.act("c1", "stop");
      await hands.rename("c1", "c2");
    },
    "c2",
    "Stopped",
  ],
];
for (const [title, act, name, status] of cases) {
  test(`a container is left as it is where a user ${title} since the daemon died, and its snapshot stays a while`, async () => {
    await using bench = await debianBench();
    const id = await bench.beginUntilStep("upgrade", "saved", request);
    bench.engine.instance("c1").files.write("/own", "text");
    await act(bench);
    await bench.restart();
    const { final } = await bench.outcome(id);
    assert.equal(final.status, Status.FAILED);
    assert.ok(final.failureReason.includes(`tremplin-upgrade-${id}`));
    const left = leftOf(bench, name);
    assert.deepEqual(left, { status, release: "11", mark: undefined, snapshots: [`tremplin-upgrade-${id}`] });
    assert.equal(bench.engine.instance(name).files.read("/own"), "text");
    assert.ok(Date.parse(bench.engine.instance(name).snapshots[0]?.expiresAt ?? "") > Date.now());
  });
}

test("another container that has the name since, or none at all, is not touched", async () => {
  for (const isAnother of [true, false]) {
    await using bench = await debianBench();
    const id = await bench.beginUntilStep("upgrade", "saved", request);
    await bench.actions.act("c1", "stop");
    await bench.actions.delete("c1");
    if (isAnother) await bench.actions.create("c1");
    await bench.restart();
    assert.equal((await bench.outcome(id)).final.status, Status.FAILED);
    const left = { status: "Stopped", release: undefined, mark: undefined, snapshots: [] };
    if (isAnother) assert.deepEqual(leftOf(bench), left);
    else assert.equal(bench.engine.holdings.instances.size, 0);
  }
});

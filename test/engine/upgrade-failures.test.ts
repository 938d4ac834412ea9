import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import {
  CancelUpgradeContainerResponse_Status as Cancelled,
  UpgradeContainerProgress_Status as Ended,
  UpgradeContainerRequest_Version as Version,
} from "../../src/contract/tremplin_pb.js";
import { baseFiles, stateOf } from "../support/apt-container.ts";
import type { FakePackage } from "../support/debian-repository.ts";
import { points, tool, UpgradeFixture } from "../support/upgrade-fixture.ts";

let place: UpgradeFixture;
let name: string;
let asItWas: Record<string, string>;

before(async () => {
  place = await UpgradeFixture.open();
});
after(() => place?.[Symbol.asyncDispose]());
beforeEach(async () => {
  await place.offer();
  name = await place.container();
  asItWas = await stateOf(place.engine, name);
});

const buster = (...packages: FakePackage[]) =>
  place.offer({ suite: "buster", packages: [baseFiles("10", "buster"), ...packages] });

/** It failed for this reason, and everything is as it was. */
async function undone(cause: RegExp): Promise<void> {
  const final = await place.upgrade(name, Version.DEBIAN_BUSTER);
  assert.equal(final.status, Ended.FAILED);
  assert.match(final.failureReason, cause);
  assert.deepEqual(await stateOf(place.engine, name), asItWas);
  assert.deepEqual(await place.engine.snapshots.list(name), []);
}

test("a maintainer script that fails", async () => {
  await buster(tool("2", { scripts: { postinst: "echo about to fail; exit 3" } }));
  await undone(/tool.*post-installation script.*exit status 3.*was rolled back to before the upgrade/);
});

test("an upgrade that does not bring the release", async () => {
  await place.offer({ suite: "buster", packages: [tool("2")] });
  await undone(
    /apt would keep base-files as it is, so this would not become Debian 10.*nothing in it was changed/,
  );
});

test("a mirror that disappears halfway", async () => {
  place.mirror.answers = (path) => !path.startsWith("pool/tool_2");
  await undone(/the upgrade to buster failed.*tool_2_all\.deb.*was rolled back/);
});

test("a mirror that does not have the release", async () => {
  place.mirror.answers = (path) => !path.startsWith("dists/buster");
  await undone(/fetching the package lists.*buster.*nothing in it was changed/);
});

test("an archive key that has expired", async () => {
  await place.expireKey(name);
  asItWas = await stateOf(place.engine, name);
  await undone(/EXPKEYSIG.*nothing in it was changed/);
});

test("a clock that is behind", async () => {
  await place.comeFromTomorrow();
  await undone(/the clock of this machine is behind the mirror's.*nothing in it was changed/);
});

test("a disk that becomes full halfway", async () => {
  await place.limitDisk(name, "320MiB");
  await buster(tool("2", { bulk: 300 }));
  await undone(/No space left|quota|cannot copy.*was rolled back/i);
});

test("a disk that is too small from the start", async () => {
  const fields = { "Installed-Size": "900000000" };
  await buster(tool("2", { fields }));
  await undone(/too little disk space.*nothing in it was changed/);
});

test("a container without any mirror of Debian", async () => {
  await place.inside(name, "rm /etc/apt/sources.list");
  asItWas = await stateOf(place.engine, name);
  await undone(/its apt sources have no mirror of Debian 9/);
});

test("on plain folders the cost is reported first, and a failure is rolled back as well", async () => {
  name = await place.containerOnFolders();
  asItWas = await stateOf(place.engine, name);
  await buster(tool("2", { scripts: { postinst: "exit 3" } }));
  await undone(/exit status 3.*was rolled back/);
  assert.match(
    place.lines(name).join("\n"),
    /has no copy-on-write snapshots: the rollback snapshot is a copy.*MB/,
  );
});

for (const [point, arrange] of Object.entries(points)) {
  test(`cancelled ${point}`, async () => {
    const reached = await arrange(place, name);
    await place.begin(name, Version.DEBIAN_BUSTER);
    await reached();
    const { status, failureReason } = await place.daemon.tremplin.cancelUpgradeContainer({
      containerName: name,
    });
    assert.equal(status, Cancelled.CANCELLED, failureReason);
    const final = await place.daemon.listener.final("upgrade", name);
    assert.equal(final.status, Ended.FAILED);
    assert.match(final.failureReason, /^the upgrade was cancelled; /);
    assert.deepEqual(await stateOf(place.engine, name), asItWas);
    assert.deepEqual(await place.engine.snapshots.list(name), []);
    const again = await place.daemon.tremplin.cancelUpgradeContainer({ containerName: name });
    assert.equal(again.status, Cancelled.NOT_RUNNING);
  });
}

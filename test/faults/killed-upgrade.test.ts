import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import {
  UpgradeContainerProgress_Status as Ended,
  UpgradeContainerRequest_Version as Version,
} from "../../src/contract/tremplin_pb.js";
import { baseFiles, stateOf } from "../support/apt-container.ts";
import { enginePid } from "../support/engine-pid.ts";
import { eventually } from "../support/eventually.ts";
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

/** The one final notice says why it failed, and everything is as it was. */
async function rolledBack(cause: RegExp): Promise<void> {
  const { listener, folder } = place.daemon;
  const final = await listener.final("upgrade", name);
  assert.equal(final.status, Ended.FAILED);
  assert.match(final.failureReason, cause);
  assert.deepEqual(await stateOf(place.engine, name), asItWas);
  assert.deepEqual(await place.engine.snapshots.list(name), []);
  const ids = listener.notices
    .filter((notice) => notice.final && notice.kind === "upgrade" && notice.container === name)
    .map(({ headers }) => headers.get("tremplin-notice"));
  assert.equal(new Set(ids).size, 1);
  await eventually("a journal with nothing left in it", async () =>
    (await readdir(join(folder, "state/journal"))).length === 0 ? true : undefined,
  );
}

for (const [point, arrange] of Object.entries(points)) {
  test(`the daemon is killed ${point}`, async () => {
    const reached = await arrange(place, name);
    await place.begin(name, Version.DEBIAN_BUSTER);
    await reached();
    await place.daemon.restart();
    await rolledBack(/^the daemon died during the upgrade; /);
  });

  test(`the engine is killed ${point}`, async () => {
    const reached = await arrange(place, name);
    await place.begin(name, Version.DEBIAN_BUSTER);
    await reached();
    process.kill(await enginePid(place.daemon), "SIGKILL");
    await rolledBack(/was rolled back to before the upgrade and runs$|nothing in it was changed$/);
  });
}

test("the daemon is killed while it rolls a failed upgrade back: the reason is kept", async () => {
  const scripts = { postinst: "exit 3" };
  await place.offer({ suite: "buster", packages: [baseFiles("10", "buster"), tool("2", { scripts })] });
  await place.begin(name, Version.DEBIAN_BUSTER);
  await place.until("the rollback", async () => /rolling it back/.test(await place.log(name)));
  await place.daemon.restart();
  await rolledBack(/exit status 3.*was rolled back/);
});

test("the daemon is killed after the verification: the upgrade stays", async () => {
  await place.begin(name, Version.DEBIAN_BUSTER);
  await place.until("the proof", async () => /it runs Debian 10/.test(await place.log(name)));
  await place.daemon.restart();
  const final = await place.daemon.listener.final("upgrade", name);
  assert.equal(final.status, Ended.SUCCEEDED, final.failureReason);
  assert.match(await place.inside(name, "cat /etc/os-release"), /VERSION_ID="10"/);
  const [snapshot] = await place.engine.snapshots.list(name);
  assert.ok(Date.parse(snapshot?.expires_at ?? "") > Date.now());
});

test("a daemon that shuts down during an upgrade leaves it to the next one", async () => {
  const reached = place.holding("pool/tool_2");
  await place.begin(name, Version.DEBIAN_BUSTER);
  await reached;
  assert.equal(await place.daemon.stop(), 0);
  assert.deepEqual(
    place.daemon.listener.messages("upgrade", name).filter(({ status }) => status !== 1),
    [],
  );
  await place.daemon.start();
  await rolledBack(/^the daemon died during the upgrade; /);
});

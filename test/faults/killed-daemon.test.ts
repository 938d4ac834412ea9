import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  CreateContainerResponse_Status as Create,
  ContainerCreationProgress_Status as Created,
  ContainerDeletionProgress_Status as Deleted,
  GetContainerInfoResponse_Status as Info,
  StartContainerRequest_PrivilegeLevel as Level,
  ContainerStartProgress_Status as Started,
} from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { engineQuery, inContainer } from "../support/in-container.ts";
import type { NoticeKind } from "../support/listener.ts";
import { restartDaemon } from "../support/restart-daemon.ts";
import { Simplestreams } from "../support/simplestreams.ts";
import { createTiny, launchedDaemon, startContainer, tinyRequest } from "../support/tiny-container.ts";

/** How long after the answer of the rpc the daemon is killed: from at once until it is mostly done. */
const INSTANTS = [0, 15, 40, 90, 160, 280, 450];

let daemon: TestDaemon;
let count = 0;
let name: string;

before(async () => {
  daemon = await launchedDaemon();
});
after(() => daemon[Symbol.asyncDispose]());
beforeEach(() => {
  name = `c${count++}`.replace(/^c(\d)/, "c-$1");
});

/** How many operations of a kind have ended for this container, by their notices' ids. */
function ends(kind: NoticeKind): number {
  const finals = daemon.listener.notices.filter(
    (each) => each.final && each.kind === kind && each.container === name,
  );
  return new Set(finals.map(({ headers }) => headers.get("tremplin-notice"))).size;
}

async function temporaries(): Promise<string[]> {
  const urls = (await engineQuery(daemon, "/1.0/instances")) as string[];
  return urls.filter((url) => url.includes("/tremplin-"));
}

for (const instant of INSTANTS) {
  test(`killed ${instant} ms into create: one final notice, nothing unfinished, the retry succeeds`, async () => {
    await daemon.tremplin.createContainer(tinyRequest(daemon, name));
    await delay(instant);
    await daemon.kill();
    await restartDaemon(daemon);
    const { status } = await daemon.listener.final("create", name);
    assert.ok(status === Created.CREATED || status === Created.FAILED);
    assert.deepEqual(await temporaries(), []);
    const { status: info } = await daemon.tremplin.getContainerInfo({ containerName: name });
    assert.equal(info, status === Created.CREATED ? Info.STOPPED : Info.NOT_FOUND);
    assert.equal(ends("create"), 1);
    assert.deepEqual(await engineQuery(daemon, "/1.0/images"), []);
    await createTiny(daemon, name);
    await startContainer(daemon, name);
    assert.equal(ends("create"), 2);
  });

  test(`killed ${instant} ms into start: one correct final notice, the retry succeeds`, async () => {
    await createTiny(daemon, name);
    await daemon.tremplin.startContainer({ containerName: name });
    await delay(instant);
    await daemon.kill();
    await restartDaemon(daemon);
    const { status } = await daemon.listener.final("start", name);
    const { status: info } = await daemon.tremplin.getContainerInfo({ containerName: name });
    assert.equal(info, status === Started.STARTED ? Info.RUNNING : Info.STOPPED);
    assert.equal(ends("start"), 1);
    if (info === Info.STOPPED) await startContainer(daemon, name);
    assert.equal(await inContainer(daemon, name, "stat", "-c", "%u", "/etc/passwd"), "0");
  });

  test(`killed ${instant} ms into a start with an id shift: the files have the right owners`, async () => {
    await createTiny(daemon, name);
    await startContainer(daemon, name);
    await inContainer(daemon, name, "sh", "-c", "touch /root/mine && chown 1000:42 /root/mine");
    await daemon.tremplin.stopContainer({ containerName: name });
    await daemon.listener.final("stop", name);
    await daemon.tremplin.startContainer({ containerName: name, privilegeLevel: Level.PRIVILEGED });
    await delay(instant);
    await daemon.kill();
    await restartDaemon(daemon);
    const { status } = await daemon.listener.final("start", name);
    if (status !== Started.STARTED) await startContainer(daemon, name, { privilegeLevel: Level.PRIVILEGED });
    const owners = await inContainer(daemon, name, "stat", "-c", "%u:%g", "/root/mine", "/etc/passwd");
    assert.equal(owners, "1000:42\n0:0");
    assert.deepEqual(await engineQuery(daemon, `/1.0/instances/${name}/snapshots`), []);
  });

  test(`killed ${instant} ms into delete: one final notice, and the container is gone if the operation had begun`, async () => {
    await createTiny(daemon, name);
    await startContainer(daemon, name);
    await daemon.tremplin.deleteContainer({ containerName: name });
    await delay(instant);
    await daemon.kill();
    await restartDaemon(daemon);
    const { status, failureReason } = await daemon.listener.final("delete", name);
    assert.equal(ends("delete"), 1);
    if (status !== Deleted.DELETED) {
      assert.match(failureReason, /the daemon died while it deleted .*; delete it again$/);
      await daemon.tremplin.deleteContainer({ containerName: name });
      assert.equal((await daemon.listener.final("delete", name)).status, Deleted.DELETED);
    }
    assert.equal((await daemon.tremplin.getContainerInfo({ containerName: name })).status, Info.NOT_FOUND);
    assert.equal(ends("shutdown"), 1);
  });
}

test("killed in the middle of a download: the engine's download ends too", async () => {
  const { rootfsPath, metadataPath } = tinyRequest(daemon, "");
  await using server = await Simplestreams.open({ alias: "tiny/1", rootfsPath, metadataPath });
  server.bytesPerSecond = 100_000;
  const request = { containerName: name, imageServer: server.url, imageAlias: "tiny/1" };
  assert.equal((await daemon.tremplin.createContainer(request)).status, Create.CREATING);
  await server.begun;
  await daemon.kill();
  await restartDaemon(daemon);
  const { status, failureReason } = await daemon.listener.final("create", name);
  assert.equal(status, Created.FAILED);
  assert.match(failureReason, /the daemon died while it created .*; create it again/);
  assert.deepEqual(await temporaries(), []);
  const { running = [] } = (await engineQuery(daemon, "/1.0/operations")) as { running?: string[] };
  assert.deepEqual(running, []);
});

test("three kills and starts in a row: each final notice still arrives once", async () => {
  await daemon.tremplin.createContainer(tinyRequest(daemon, name));
  for (let i = 0; i < 3; i++) {
    await daemon.kill();
    await daemon.launch();
    await eventually("the daemon", () => daemon.guest.getStatus({}).catch(() => undefined));
  }
  await daemon.listener.final("create", name);
  await eventually("every notice delivered", async () =>
    (await daemon.guest.getStatus({})).undeliveredNotices === 0 ? true : undefined,
  );
  assert.equal(ends("create"), 1);
});

import assert from "node:assert/strict";
import { appendFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { systemClock } from "../../src/base/async/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { deliverTo } from "../../src/daemon/notices/delivery.ts";
import { notice } from "../../src/daemon/notices/notice.ts";
import { serveHost } from "../../src/host/serve-host.ts";
import { dial } from "../../src/transport/client.ts";
import { serveCustomHttp2 } from "../support/custom-http2-server.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { enginePid } from "../support/engine-pid.ts";
import { eventually } from "../support/eventually.ts";
import { restartDaemon } from "../support/restart-daemon.ts";
import { smallDisk } from "../support/small-disk.ts";
import { testFolder } from "../support/test-run.ts";
import {
  createTiny,
  launch,
  launchedDaemon,
  startContainer,
  tinyRequest,
} from "../support/tiny-container.ts";

let daemon: TestDaemon;

before(async () => {
  daemon = await launchedDaemon();
  await createTiny(daemon, "web");
  await startContainer(daemon, "web");
});
after(() => daemon[Symbol.asyncDispose]());

async function status() {
  return await daemon.guest.getStatus({});
}

function journal(): Promise<string[]> {
  return readdir(join(daemon.folder, "state/journal"));
}

test("a final notice waits through a moment of HTTP 404 at the host's address; meanwhile the status shows the outage", async () => {
  const began = Date.now();
  await daemon.listener.goAway();
  {
    await using _proxy = await serveCustomHttp2(join(daemon.folder, "host.sock"), (stream) => {
      stream.respond({ ":status": 404, "content-type": "text/html" });
      stream.end("<html>no such page</html>");
    });
    let operation: string | null = null;
    const onHeader = (headers: Headers): void => {
      operation = headers.get("tremplin-operation");
    };
    await daemon.tremplin.stopContainer({ containerName: "web" }, { onHeader });
    const said = await eventually("an outage", async () => {
      const found = await status();
      return found.hostAwaySince && found.operations.length === 0 ? found : undefined;
    });
    assert.match(said.hostAwayReason, /HTTP 404/);
    assert.ok(said.hostAwaySince && timestampMs(said.hostAwaySince) >= began);
    assert.ok(said.undeliveredNotices > 0);
    assert.equal(said.oldestNotice?.containerName, "web");
    assert.deepEqual(said.refusedNotices, []);
    assert.ok((await journal()).includes(`${operation}.json`));
  }
  await daemon.listener.reopen();
  await daemon.listener.final("stop", "web");
  assert.equal(daemon.listener.messages("stop", "web").filter((each) => each.status === 1).length, 1);
  await eventually("the end of the outage", async () => ((await status()).hostAwaySince ? undefined : true));
  assert.deepEqual(await journal(), []);
  const warnings = (await daemon.log())
    .split("\n")
    .filter((line) => line.includes("the host is unreachable"));
  assert.equal(warnings.length, 1);
});

test("a final notice that the host rejects is kept, shown, and sent again at the next start", async () => {
  const { listener } = daemon;
  listener.answering = ({ kind }) => {
    if (kind === "delete") throw new ConnectError("no such rpc here", Code.Unimplemented);
  };
  await createTiny(daemon, "old");
  let operation: string | null = null;
  const onHeader = (headers: Headers): void => {
    operation = headers.get("tremplin-operation");
  };
  await daemon.tremplin.deleteContainer({ containerName: "old" }, { onHeader });
  const kept = await eventually("a rejected notice", async () => (await status()).refusedNotices[0]);
  assert.deepEqual(
    [kept.rpc, kept.containerName, kept.operation],
    ["UpdateDeletionStatus", "old", operation],
  );
  assert.match(kept.reason, /no such rpc here/);
  await eventually("an empty journal", async () => ((await journal()).length === 0 ? true : undefined));
  // The host rejects it again after a restart: the time of the first rejection stays.
  await daemon.kill();
  await restartDaemon(daemon);
  await eventually("the second rejection", async () =>
    (await status()).undeliveredNotices === 0 ? true : undefined,
  );
  assert.deepEqual((await status()).refusedNotices[0]?.since, kept.since);
  listener.answering = () => undefined;
  await daemon.kill();
  await restartDaemon(daemon);
  assert.equal((await listener.final("delete", "old")).status, 1);
  await eventually("no rejected notice", async () =>
    (await status()).refusedNotices.length === 0 ? true : undefined,
  );
});

test("records that cannot be used are shown with the reason", async () => {
  await daemon.kill();
  await writeFile(join(daemon.folder, "state/journal/00112233.json"), "{");
  await restartDaemon(daemon);
  const records = (await status()).setAsideRecords;
  assert.deepEqual(
    records.map(({ path, reason }) => [path, reason]),
    [[join(daemon.folder, "state/journal/00112233.json.unreadable"), "it is not JSON"]],
  );
  await rm(records[0]?.path ?? "");
  assert.deepEqual((await status()).setAsideRecords, []);
});

test("work that an earlier daemon left is among the open operations until the engine runs again", async () => {
  const { listener } = daemon;
  let operation: string | null = null;
  const onHeader = (headers: Headers): void => {
    operation = headers.get("tremplin-operation");
  };
  await daemon.tremplin.createContainer(tinyRequest(daemon, "half"), { onHeader });
  process.kill(await enginePid(daemon), "SIGSTOP");
  await daemon.kill();
  const pid = await enginePid(daemon);
  process.kill(pid, "SIGKILL");
  await eventually("the end of the engine", async () => {
    return await enginePid(daemon).then(
      () => undefined,
      () => true,
    );
  });
  await daemon.start();
  assert.deepEqual(
    (await status()).operations.map(({ id, kind, containerName, waitsForRecovery }) => [
      id,
      kind,
      containerName,
      waitsForRecovery,
    ]),
    [[operation, "create", "half", true]],
  );
  await launch(daemon);
  await listener.final("create", "half");
  assert.deepEqual((await status()).operations, []);
});

test("a host with a full disk does not reject a notice: it takes it once there is space", async () => {
  const folder = await testFolder();
  await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  await using _disk = await smallDisk(join(folder, "disk"), 4 * 1024 * 1024);
  const address = { kind: "unix", path: join(folder, "listener.sock") } as const;
  const guests = [{ name: "vm", address: { kind: "unix", path: join(folder, "vm.sock") } as const }];
  await mkdir(join(folder, "disk/state"));
  const state = join(folder, "disk/state");
  await using _host = await serveHost(
    { listen: [], listeners: [{ address }], guests, state, logLevel: "silent" },
    systemClock,
    silentLogger,
  );
  const full = join(folder, "disk/full");
  for (const size of [1024 * 1024, 4096]) {
    const more = Buffer.alloc(size);
    const fill = async () => {
      for (;;) await appendFile(full, more, { flush: true });
    };
    await assert.rejects(fill(), { code: "ENOSPC" });
  }
  using connection = dial(address);
  const deliver = deliverTo(connection, "");
  const long = notice("updateStopStatus", { containerName: "c1", failureReason: "x".repeat(100_000) });
  const outcome = await deliver(long, "1", new AbortController().signal);
  assert.equal(outcome.kind, "unreachable");
  assert.match("reason" in outcome ? outcome.reason : "", /cannot write the event log/);
  await rm(full);
  assert.equal((await deliver(long, "1", new AbortController().signal)).kind, "acknowledged");
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { CommandLineFixture } from "../../../test/support/command-line.ts";
import { repository } from "../../../test/support/repository.ts";
import {
  Engine_State as EngineState,
  RejectedNoticeSchema,
  SetAsideRecordSchema,
  WaitingNoticeSchema,
} from "../../contract/tremplin/v1/guest_pb.js";

test("status shows the engine and running operations, and reports an unreachable guest", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.operations.push({ id: "1", kind: "export", containerName: "web" });
  const up = await at.output("status");
  assert.equal(up.code, 0);
  assert.match(up.stdout, /^engine +lxd 5\.0\.2 is running$/m);
  assert.match(up.stdout, /^operation export of web$/m);
  at.guest.engine = EngineState.STOPPED;
  assert.match((await at.output("status")).stdout, /^engine +not started; sudo tremplin up/m);
  assert.equal((await at.output("status --guest other")).code, 3);
  await at.guest.close();
  const away = await at.output("status --json");
  assert.equal(away.code, 4);
  assert.match(away.stderr, /not reachable: vm/);
  assert.equal(JSON.parse(away.stdout).guests[0].reachable, false);
});

test("status shows undelivered and rejected notices, and operations that wait for the engine", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.operations.push({ id: "1", kind: "export", containerName: "web", waitsForRecovery: true });
  const since = timestampFromMs(Date.now() - 65_000);
  const about = { containerName: "web", operation: "1", since };
  at.guest.status = {
    undeliveredNotices: 3,
    hostAwaySince: since,
    hostAwayReason: "HTTP 404",
    oldestNotice: create(WaitingNoticeSchema, { rpc: "UpdateExportStatus", ...about }),
    refusedNotices: [
      create(RejectedNoticeSchema, { rpc: "UpdateStopStatus", ...about, reason: "no such rpc" }),
    ],
    setAsideRecords: [
      create(SetAsideRecordSchema, { path: "/s/journal/1.json.unreadable", reason: "it is not JSON", since }),
    ],
  };
  const { stdout, code } = await at.output("status");
  assert.equal(code, 0);
  assert.match(stdout, /^waiting +export of web, begun .* ago: recovered once the engine runs$/m);
  assert.match(stdout, /^delivery +host unreachable for 1:0\d: HTTP 404$/m);
  assert.match(stdout, /^notices +3 not delivered; the oldest, UpdateExportStatus of web, for 1:0\d$/m);
  assert.match(
    stdout,
    /^rejected +UpdateStopStatus of web, 1:0\d ago: no such rpc; kept for a day, sent again when the daemon starts$/m,
  );
  assert.match(stdout, /^set aside \/s\/journal\/1\.json\.unreadable: it is not JSON; /m);
  const { status } = JSON.parse((await at.output("status --json")).stdout).guests[0];
  assert.deepEqual([status.operations[0].id, status.operations[0].waitsForRecovery], ["1", true]);
  assert.equal(status.refusedNotices[0].reason, "no such rpc");
});

test("the package finds out from its JSON whether an operation is under way", async (t) => {
  const at = await CommandLineFixture.open(t);
  const postinst = await readFile(join(repository, "debian/tremplin.postinst"), "utf8");
  const [, pattern = ""] = /grep -q '(.*)'/.exec(postinst) ?? [];
  const finds = async () =>
    spawnSync("grep", ["-q", pattern], { input: (await at.output("status --json")).stdout }).status === 0;
  assert.equal(await finds(), false);
  at.guest.operations.push({ id: "1", kind: "export", containerName: "web" });
  assert.equal(await finds(), true);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { CommandLinePlace, RecordedIo } from "../../../test/support/command-line.ts";
import {
  Engine_State as EngineState,
  RejectedNoticeSchema,
  SetAsideRecordSchema,
  WaitingNoticeSchema,
} from "../../contract/tremplin/v1/guest_pb.js";

test("list shows all containers", async (t) => {
  const at = await CommandLinePlace.open(t);
  assert.match((await at.say("list")).stderr, /tremplin create/);
  at.guest.containers.set("web", "running").set("database", "stopped");
  const { stdout } = await at.say("list");
  assert.deepEqual(stdout.split("\n"), [
    "NAME      STATE    IPV4      IMAGE",
    "web       running  10.0.0.1  Debian bookworm amd64",
    "database  stopped  -         Debian bookworm amd64",
    "",
  ]);
  const document = JSON.parse((await at.say("list --json")).stdout);
  assert.deepEqual(
    document.containers.map(({ name }: { name: string }) => name),
    ["web", "database"],
  );
});

test("info shows one container and its person", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "running");
  const { stdout } = await at.say("info web");
  assert.match(stdout, /^address +10\.0\.0\.1$/m);
  assert.match(stdout, /^user +ada \(\/home\/ada\)$/m);
  const document = JSON.parse((await at.say("info web --json")).stdout);
  assert.equal(document.username, "ada");
  assert.equal(document.privileged, false);
});

test("status shows the engine and what is under way, and says when a guest is away", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.operations.push({ id: "1", kind: "export", containerName: "web" });
  const up = await at.say("status");
  assert.equal(up.code, 0);
  assert.match(up.stdout, /^engine +lxd 5\.0\.2 runs$/m);
  assert.match(up.stdout, /^under way export of web$/m);
  at.guest.engine = EngineState.STOPPED;
  assert.match((await at.say("status")).stdout, /^engine +not launched; sudo tremplin up/m);
  assert.equal((await at.say("status --guest other")).code, 3);
  await at.guest.close();
  const away = await at.say("status --json");
  assert.equal(away.code, 4);
  assert.match(away.stderr, /not reachable: vm/);
  assert.equal(JSON.parse(away.stdout).guests[0].reachable, false);
});

test("status says what waits for the host, what it refused, and what waits for the engine", async (t) => {
  const at = await CommandLinePlace.open(t);
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
  const { stdout, code } = await at.say("status");
  assert.equal(code, 0);
  assert.match(stdout, /^unfinished export of web, begun .* ago: recovered once the engine runs$/m);
  assert.match(stdout, /^host +away for 1:0\d: HTTP 404$/m);
  assert.match(
    stdout,
    /^notices +3 not taken by the host yet; the oldest is UpdateExportStatus of web, for 1:0\d$/m,
  );
  assert.match(
    stdout,
    /^refused +UpdateStopStatus of web, 1:0\d ago: no such rpc; kept for a day, sent again when the daemon starts$/m,
  );
  assert.match(stdout, /^set aside \/s\/journal\/1\.json\.unreadable: it is not JSON; /m);
  const { status } = JSON.parse((await at.say("status --json")).stdout).guests[0];
  assert.deepEqual([status.operations[0].id, status.operations[0].waitsForRecovery], ["1", true]);
  assert.equal(status.refusedNotices[0].reason, "no such rpc");
});

test("an unchanged guest is known as one", async (t) => {
  const at = await CommandLinePlace.open(t, true);
  const { code, stderr } = await at.say("list");
  assert.equal(code, 1);
  assert.match(stderr, /original contract only/);
  const status = await at.say("status");
  assert.equal(status.code, 0);
  assert.match(status.stdout, /original contract only/);
  assert.equal((await at.say("create web --image-server https://x --alias y")).stdout, "web: created\n");
});

test("watch tells the whole log on demand, then what happens", async (t) => {
  const at = await CommandLinePlace.open(t);
  await at.guest.tell("containerShutdown", { containerName: "web" });
  const io = new RecordedIo();
  const watching = at.run("watch --all", io);
  await io.written(/^1 {2}\S+ {2}vm {2}web: is down$/m);
  await at.guest.tell("updateListeningPorts", { containerPorts: { web: { listeningTcp4Ports: [80, 443] } } });
  await io.written(/^2 {2}\S+ {2}vm {2}listening ports of web: 80 443$/m);
  io.ctrlC();
  assert.equal(await watching, 130);
  assert.match(io.stderr, /tremplin watch --after 2 goes on/);
  const after = new RecordedIo();
  const again = at.run("watch --after 1 --json", after);
  await after.written(/"sequence":"2"/);
  after.ctrlC();
  assert.equal(await again, 130);
  assert.doesNotMatch(after.stdout, /"sequence":"1"/);
  assert.equal(await at.run("watch --after x"), 2);
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { CommandLineFixture } from "../../../test/support/command-line.ts";
import { commandLineSync } from "../../base/processes/process-info.ts";
import {
  EngineSchema,
  Engine_State as EngineState,
  Orphan_Kind as Kind,
  Engine_Phase as Phase,
  RejectedNoticeSchema,
  SetAsideRecordSchema,
} from "../../contract/tremplin/v1/guest_pb.js";
import { formatAddress } from "../../transport/address.ts";
import { recordOf, writeRecord } from "../background/process-record.ts";
import { RunFolder } from "../background/run-folder.ts";
import type { Finding } from "./finding.ts";
import { setupChecks } from "./setup-checks.ts";

test("each state of the setup has its findings", async (t) => {
  const at = await CommandLineFixture.open(t);
  const run = new RunFolder(at.folder);
  const states = async () => {
    const found = await setupChecks(
      run,
      { host: formatAddress(at.hostAddress) },
      new AbortController().signal,
    );
    return Object.fromEntries(found.map(({ name, state }) => [name, state]));
  };
  const started = { "host process": "note", "daemon process": "note" } as const;
  assert.deepEqual(await states(), {
    ...started,
    host: "good",
    "guest vm": "good",
    "engine state": "good",
    orphans: "good",
    problems: "good",
  });
  at.guest.problems.push(
    { area: "firewall", problem: "it drops", advice: "let it pass" },
    { area: "addresses", problem: "they are used up", advice: "delete one" },
  );
  const { "problem firewall": drops, "problem addresses": usedUp } = await states();
  assert.deepEqual([drops, usedUp], ["bad", "note"]);
  at.guest.engine = EngineState.FAILED;
  assert.equal((await states())["engine state"], "bad");
  at.guest.engine = EngineState.STOPPED;
  assert.equal((await states())["engine state"], "note");
  at.guest.status = { engine: create(EngineSchema, { state: EngineState.RUNNING, phase: Phase.RESTARTING }) };
  assert.equal((await states())["engine state"], "note");
  await at.guest.close();
  assert.deepEqual(await states(), { ...started, host: "good", "guest vm": "bad" });
  await at.closeHost();
  assert.deepEqual(await states(), { ...started, host: "note" });
  const mine = recordOf(process.pid, commandLineSync(process.pid).slice(-1));
  assert.ok(mine);
  await writeRecord(join(at.folder, "host.pid"), mine);
  await writeRecord(join(at.folder, "daemon.pid"), { ...mine, startedAt: "1" });
  assert.deepEqual(await states(), { "host process": "good", "daemon process": "bad", host: "bad" });
});

test("orphans are listed, each with the command that shows it and the one that removes it", async (t) => {
  const at = await CommandLineFixture.open(t);
  const id = "00112233445566aa";
  at.guest.orphans.push(
    { kind: Kind.CONTAINER, name: `tremplin-create-${id}`, operation: id },
    { kind: Kind.REPLACED_CONTAINER, name: `tremplin-aside-${id}`, operation: id },
    { kind: Kind.SNAPSHOT, name: `tremplin-remap-${id}`, containerName: "web", operation: id },
    { kind: Kind.IMAGE, name: "0123456789abcdef0123", operation: id },
    { kind: Kind.CONTAINER, name: "rootfs-import" },
  );
  const since = timestampFromMs(Date.now() - 60_000);
  at.guest.status = {
    undeliveredNotices: 2,
    hostAwaySince: since,
    hostAwayReason: "HTTP 404",
    refusedNotices: [
      create(RejectedNoticeSchema, {
        rpc: "UpdateStopStatus",
        containerName: "web",
        since,
        reason: "no such rpc",
      }),
    ],
    setAsideRecords: [
      create(SetAsideRecordSchema, { path: "/s/journal/1.json.unreadable", reason: "it is not JSON" }),
    ],
  };
  const { code, stdout } = await at.output(`doctor --run ${at.folder} --state ${at.folder} --json`);
  assert.equal(code, 1);
  const { findings } = JSON.parse(stdout);
  const of = (wanted: string) => findings.filter(({ name }: { name: string }) => name === wanted);
  assert.deepEqual(
    of("orphans").map(({ state, found, advice }: Finding) => [
      state,
      found,
      advice?.replace("on the guest, ", ""),
    ]),
    [
      [
        "note",
        `the container tremplin-create-${id} is of operation ${id}, which has ended`,
        `lxc info tremplin-create-${id} shows it, lxc delete tremplin-create-${id} removes it`,
      ],
      [
        "note",
        `the container tremplin-aside-${id} is one that an import was about to replace (operation ${id}, which has ended)`,
        `lxc info tremplin-aside-${id} shows it; to use it again, lxc rename tremplin-aside-${id} NAME`,
      ],
      [
        "note",
        `the snapshot tremplin-remap-${id} of web is of operation ${id}, which has ended`,
        `lxc info web shows it, lxc delete web/tremplin-remap-${id} removes it`,
      ],
      [
        "note",
        `the image 0123456789ab is of operation ${id}, which has ended`,
        "lxc image info 0123456789ab shows it, lxc image delete 0123456789ab removes it",
      ],
      [
        "note",
        "the container rootfs-import has a name that older daemons used for operations; it may also be one that you created",
        "lxc info rootfs-import shows it; to use it again, lxc rename rootfs-import NAME",
      ],
    ],
  );
  assert.match(of("notices")[0].found, /2 notices not delivered; .* HTTP 404/);
  assert.match(of("rejected notice")[0].found, /^UpdateStopStatus of web: no such rpc$/);
  assert.match(of("set aside")[0].found, /1\.json\.unreadable: it is not JSON$/);
});

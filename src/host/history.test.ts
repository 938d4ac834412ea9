import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { eventText, hasCode, hostFixture } from "../../test/support/host-fixture.ts";
import { Host, OperationInfo_State as State } from "../contract/tremplin/v1/host_pb.js";

test("operations are known from their notices, with and without ids, also after a restart", async (t) => {
  const at = await hostFixture(t);
  const first = await at.host("vm");
  const { metadata } = await at.guest("vm");
  const listener = at.listener("vm");
  const as = (operation: string) => ({ headers: { ...metadata, "tremplin-operation": operation } });
  const progress = { containerName: "web", status: 6, totalInputFiles: 10, totalInputBytes: 10n };
  await listener.updateExportStatus(progress, as("aa"));
  await listener.updateExportStatus({ ...progress, inputFilesStreamed: 5, inputBytesStreamed: 5n }, as("aa"));
  await listener.updateStartStatus({ containerName: "db", status: 4 }, { headers: metadata });
  await listener.updateStartStatus(
    { containerName: "db", status: 3, failureReason: "no memory" },
    { headers: metadata },
  );
  await listener.updateStartStatus({ containerName: "db", status: 1 }, { headers: metadata });
  await first[Symbol.asyncDispose]();
  await at.host("vm");
  const list = async (filter = {}) => {
    const { operations } = await at.api(Host).listOperations(filter);
    return operations.map(({ kind, containerName, state, percent, text }) =>
      [kind, containerName, State[state], percent, text.slice(0, 30)].join(" "),
    );
  };
  assert.deepEqual(await list(), [
    "export web UNDER_WAY 50 packing, 5 of 10 files, 5 B of",
    "start db FAILED  starting failed: no memory",
    "start db SUCCEEDED  started",
  ]);
  assert.deepEqual(await list({ containerName: "web" }), [
    "export web UNDER_WAY 50 packing, 5 of 10 files, 5 B of",
  ]);
  assert.deepEqual(await list({ underWay: true }), [
    "export web UNDER_WAY 50 packing, 5 of 10 files, 5 B of",
  ]);
  assert.deepEqual(await list({ limit: 1 }), ["start db SUCCEEDED  started"]);
  assert.deepEqual(await list({ since: { seconds: BigInt(Math.ceil(Date.now() / 1000) + 3600) } }), []);
  await assert.rejects(
    at.api(Host).listOperations({ guest: "nobody" }),
    hasCode(Code.NotFound, /no guest nobody/),
  );
});

test("a watch can begin with the events since a time", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  await guest.notify("containerShutdown", { containerName: "web" });
  const since = async (milliseconds: number) => {
    const seconds = BigInt(Math.floor((Date.now() + milliseconds) / 1000));
    const events = await Array.fromAsync(at.api(Host).watch({ since: { seconds }, onlyLog: true }));
    return events.slice(1).map(eventText);
  };
  assert.deepEqual(await since(-60_000), ["vm shutdown web"]);
  assert.deepEqual(await since(60_000), []);
});

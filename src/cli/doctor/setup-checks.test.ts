import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { CommandLinePlace } from "../../../test/support/command-line.ts";
import { Engine_State as EngineState } from "../../contract/tremplin/v1/guest_pb.js";
import { formatAddress } from "../../transport/address.ts";
import { recordOf, writeRecord } from "../background/process-record.ts";
import { RunFolder } from "../background/run-folder.ts";
import { setupChecks } from "./setup-checks.ts";

test("each state of the set-up is told apart", async (t) => {
  const at = await CommandLinePlace.open(t);
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
  assert.deepEqual(await states(), { ...started, host: "good", "guest vm": "good", "engine state": "good" });
  at.guest.engine = EngineState.FAILED;
  assert.equal((await states())["engine state"], "bad");
  at.guest.engine = EngineState.STOPPED;
  assert.equal((await states())["engine state"], "note");
  await at.guest.close();
  assert.deepEqual(await states(), { ...started, host: "good", "guest vm": "bad" });
  await at.closeHost();
  assert.deepEqual(await states(), { ...started, host: "note" });
  const mine = recordOf(process.pid, ["host"]);
  assert.ok(mine);
  await writeRecord(join(at.folder, "host.pid"), mine);
  await writeRecord(join(at.folder, "daemon.pid"), { ...mine, startedAt: "1" });
  assert.deepEqual(await states(), { "host process": "good", "daemon process": "bad", host: "bad" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";
import { Engine_State } from "../../contract/tremplin/v1/guest_pb.js";
import { openProgress } from "../progress/open-progress.ts";
import { HostApi } from "./host-api.ts";
import { remindOfStopped, restartContainers, runningContainers } from "./restart-containers.ts";

function sessionOf(at: CommandLineFixture) {
  const io = new RecordedIo();
  const api = new HostApi(at.hostAddress, "");
  const progress = openProgress("resetting", io, { json: false });
  return {
    ...{ api, io, progress, json: false },
    async [Symbol.asyncDispose]() {
      await progress[Symbol.asyncDispose]();
      api[Symbol.dispose]();
    },
  };
}

test("the containers that ran before a reset run again, and only these", async (t) => {
  const at = await CommandLineFixture.open(t);
  for (const [name, state] of Object.entries({ web: "running", store: "running", old: "stopped" }))
    at.guest.containers.set(name, state);
  at.guest.engine = Engine_State.RUNNING;
  await using session = sessionOf(at);
  const names = await runningContainers(session.api, session.io.interrupted);
  assert.deepEqual(names, ["web", "store"]);
  for (const name of ["web", "store"]) at.guest.containers.set(name, "stopped");
  const restarted = await restartContainers(session, names ?? []);
  assert.deepEqual(restarted, { restarted: ["web", "store"], notRestarted: [] });
  assert.deepEqual([...at.guest.containers.values()], ["running", "running", "stopped"]);
});

test("one that does not come back is named with what to do, and the others start", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "stopped");
  await using session = sessionOf(at);
  const { restarted, notRestarted } = await restartContainers(session, ["lost", "web"]);
  assert.deepEqual(restarted, ["web"]);
  assert.deepEqual(
    notRestarted.map(({ name }) => name),
    ["lost"],
  );
  assert.match(
    session.io.stderr,
    /lost ran before and is stopped now: .*there is no container lost.*; tremplin start lost tries again/,
  );
});

test("where the engine could not say what ran, the way to start a container is said", async (t) => {
  const at = await CommandLineFixture.open(t);
  await using session = sessionOf(at);
  await remindOfStopped(session);
  assert.doesNotMatch(session.io.stderr, /stopped now/);
  at.guest.containers.set("web", "stopped");
  await remindOfStopped(session);
  assert.match(session.io.stderr, /are stopped now: tremplin start NAME starts one/);
  await at.guest.close();
  assert.equal(await runningContainers(session.api, session.io.interrupted), undefined);
});

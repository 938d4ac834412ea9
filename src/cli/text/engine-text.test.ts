import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  EngineSchema,
  Engine_Phase as Phase,
  Engine_State as State,
} from "../../contract/tremplin/v1/guest_pb.js";
import { engineText } from "./engine-text.ts";

const text = (init: MessageInitShape<typeof EngineSchema>) => engineText(create(EngineSchema, init));

test("an engine that runs has its version, bridge and storage in its text, unless it crashed just now", () => {
  const running = { state: State.RUNNING, kind: "lxd", version: "5.0.2", bridge: "lxdbr0", storage: "btrfs" };
  assert.equal(
    text({ ...running, subnet: "10.0.0.1/24" }),
    "lxd 5.0.2 is running, bridge lxdbr0 10.0.0.1/24, storage btrfs",
  );
  assert.equal(text({ ...running, phase: Phase.RESTARTING }), "lxd 5.0.2 crashed and is being started again");
});

test("an engine that starts has a text for each phase, and the reason where there is one", () => {
  const phases = Object.values(Phase).filter((phase) => typeof phase === "number");
  const starting = phases.filter((phase) => phase !== Phase.RESTARTING && phase !== Phase.PHASE_UNSPECIFIED);
  const texts = starting.map((phase) => text({ state: State.STARTING, phase }));
  assert.equal(new Set(texts).size, starting.length);
  assert.equal(text({ state: State.STARTING }), "the engine is starting");
  assert.equal(
    text({
      state: State.STARTING,
      phase: Phase.RECOVERING_CONTAINERS,
      phaseReason: "the database is broken",
    }),
    "the containers are being imported into a new database (the database is broken)",
  );
});

test("an engine that failed or was not launched says what to do", () => {
  assert.equal(text({ state: State.FAILED, failureReason: "no space" }), "it could not be started: no space");
  assert.equal(text({ state: State.STOPPED }), "not started; sudo tremplin up starts it");
});

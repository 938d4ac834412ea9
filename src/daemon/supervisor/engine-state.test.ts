import assert from "node:assert/strict";
import { test } from "node:test";
import { assertTransition, type EngineState } from "./engine-state.ts";

const states = ["stopped", "starting", "resetting", "recovering", "running", "restarting", "failed"] as const;
const impossible: readonly (readonly [EngineState["status"], EngineState["status"]])[] = [
  ["starting", "running"],
  ["resetting", "running"],
  ["stopped", "running"],
  ["stopped", "failed"],
  ["running", "recovering"],
  ["running", "resetting"],
  ["failed", "running"],
  ["failed", "restarting"],
];

for (const [from, to] of impossible) {
  test(`the engine's state cannot change from ${from} to ${to}`, () => {
    assert.throws(() => assertTransition(stateOf(from), stateOf(to)), /cannot change from/);
  });
}

test("no state returns to stopped", () => {
  for (const from of states) {
    assert.throws(() => assertTransition(stateOf(from), stateOf("stopped")), /cannot change from/);
  }
});

/** Only the status of a state decides. */
function stateOf(status: EngineState["status"]): EngineState {
  return { status } as EngineState;
}

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type ContainerAction,
  type ContainerFacts,
  containerActions,
  guestActions,
  guestRefusalOf,
  refusalOf,
} from "./container-actions.ts";

/** The actions that are legal. */
function legal(facts: Partial<ContainerFacts>): ContainerAction[] {
  const all = { name: "web", state: "running", ...facts };
  return containerActions.filter((action) => refusalOf(action, all) === undefined);
}

const always = [
  "delete",
  "user",
  "timezone",
  "export",
  "import",
  "usb",
  "snapshot",
  "restore",
  "copy",
  "set",
];
const rollback = ["upgrade-rollback", "upgrade-commit"];

test("what is legal depends on the state of the container", () => {
  const sorted = (...actions: string[]) => actions.toSorted();
  const running = ["stop", "restart", "shell", "upgrade"];
  assert.deepEqual(legal({ hasRollbackSnapshot: false }).toSorted(), sorted(...always, ...running));
  assert.deepEqual(
    legal({ hasRollbackSnapshot: true }).toSorted(),
    sorted(...always, ...running, ...rollback),
  );
  assert.deepEqual(
    legal({ state: "stopped", hasRollbackSnapshot: false }).toSorted(),
    sorted(...always, "start", "rename"),
  );
  assert.deepEqual(
    legal({ state: "frozen", hasRollbackSnapshot: false }).toSorted(),
    sorted(...always, "stop"),
  );
});

test("an operation leaves only what does not need the container for itself", () => {
  assert.deepEqual(legal({ operation: { kind: "export" } }), ["shell", "timezone", "usb", "cancel"]);
  assert.deepEqual(legal({ operation: { kind: "delete" } }), ["shell", "timezone", "usb"]);
});

test("each refusal is a sentence that names the container", () => {
  const sentence = (action: ContainerAction, facts: Partial<ContainerFacts>) =>
    refusalOf(action, { name: "web", state: "stopped", ...facts });
  assert.equal(sentence("shell", {})?.sentence, "web is not running; start it first");
  assert.equal(sentence("stop", {})?.sentence, "web is stopped already");
  assert.match(
    sentence("start", { state: "frozen" })?.sentence ?? "",
    /^web is frozen: stop it, or unfreeze/,
  );
  const operation = { kind: "export", startedAt: 0, obstacle: "the disk is full" };
  assert.deepEqual(sentence("start", { operation }), {
    code: "busy",
    sentence:
      'container web is busy: operation "export" is under way since 1970-01-01T00:00:00.000Z (the disk is full); wait for its end and try again',
  });
  fc.assert(
    fc.property(fc.constantFrom(...containerActions), fc.string(), fc.string(), (action, state, kind) => {
      const operation = kind ? { kind } : undefined;
      const refusal = refusalOf(action, { name: "web", state, operation, hasRollbackSnapshot: false });
      assert.ok(refusal === undefined || refusal.sentence.includes("web"));
    }),
  );
});

test("a guest creates and imports only while its engine runs", () => {
  const refused = (engine: string) =>
    guestActions.filter((action) => guestRefusalOf(action, "vm", engine) !== undefined);
  assert.deepEqual(refused("running"), ["start-engine"]);
  assert.deepEqual(refused("starting"), ["start-engine", "create", "import"]);
  assert.deepEqual(refused("stopped"), ["create", "import"]);
  assert.deepEqual(refused("failed"), ["create", "import"]);
});

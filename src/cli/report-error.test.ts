import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../test/support/command-line.ts";

test("the failure of an operation names it, so that logs can be searched", async (t) => {
  const place = await CommandLineFixture.open(t);
  place.guest.fault = "the disk is full";
  const asText = await place.output("create web --image-server https://images.invalid --alias debian");
  const [, id] =
    /^tremplin: web: creating failed: .*\ntremplin: the logs have this as operation (\S+)$/m.exec(
      asText.stderr,
    ) ?? [];
  const asJson = await place.output("create db --image-server https://images.invalid --alias debian --json");
  const { error } = JSON.parse(asJson.stderr.trim().split("\n").at(-1) ?? "");
  const history = await place.output("history --json");
  assert.ok(id && history.stdout.includes(id), asText.stderr);
  assert.ok(history.stdout.includes(error.operation), asJson.stderr);
  assert.deepEqual([error.code, error.exitCode], ["failed", asJson.code]);
});

test("a failure without an operation names none", async (t) => {
  const place = await CommandLineFixture.open(t);
  const { stderr } = await place.output("start nobody --json");
  assert.deepEqual(Object.keys(JSON.parse(stderr).error), ["code", "exitCode", "message"]);
});

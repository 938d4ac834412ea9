import assert from "node:assert/strict";
import { test } from "node:test";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { findCulprit } from "./recover-containers.ts";

test("a refusal is about the container of its project, not about a namesake", () => {
  const names = ["lab_web", "web"];
  const culprit = (message: string) => findCulprit(new TremplinError("failed", message), names);
  assert.equal(culprit('Instance "web" in project "lab" has a different instance name'), "lab_web");
  assert.equal(culprit('Instance "web" in project "default" has a different instance name'), "web");
  assert.equal(culprit('Failed parsing "/pools/default/containers/lab_web/backup.yaml"'), "lab_web");
  assert.equal(culprit('Instance "lab_web" in project "lab" has no backup file'), "lab_web");
  assert.equal(culprit('Instance "store" in project "lab" is missing'), undefined);
});

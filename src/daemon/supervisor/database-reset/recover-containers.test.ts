import assert from "node:assert/strict";
import { test } from "node:test";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { containerInError } from "./recover-containers.ts";

test("an import error names the container of its project, not one of the same name in another", () => {
  const names = ["lab_web", "web"];
  const named = (message: string) => containerInError(new TremplinError("failed", message), names);
  assert.equal(named('Instance "web" in project "lab" has a different instance name'), "lab_web");
  assert.equal(named('Instance "web" in project "default" has a different instance name'), "web");
  assert.equal(named('Failed parsing "/pools/default/containers/lab_web/backup.yaml"'), "lab_web");
  assert.equal(named('Instance "lab_web" in project "lab" has no backup file'), "lab_web");
  assert.equal(named('Instance "store" in project "lab" is missing'), undefined);
});

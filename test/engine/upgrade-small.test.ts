import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import {
  UpgradeContainerResponse_Status as Answer,
  CancelUpgradeContainerResponse_Status as Cancel,
  UpgradeContainerProgress_Status as Ended,
  UpgradeContainerRequest_Version as Version,
} from "../../src/contract/tremplin_pb.js";
import { stateOf } from "../support/apt-container.ts";
import { UpgradePlace } from "../support/upgrade-place.ts";

let place: UpgradePlace;
let name: string;

before(async () => {
  place = await UpgradePlace.open();
});
after(() => place?.[Symbol.asyncDispose]());
beforeEach(async () => {
  name = await place.container();
});

test("two releases at once: upgraded, proven, and told with every line", { timeout: 120_000 }, async () => {
  const final = await place.upgrade(name, Version.DEBIAN_BULLSEYE);
  assert.equal(final.status, Ended.SUCCEEDED, await place.log(name));
  assert.match(await place.inside(name, "cat /etc/os-release"), /VERSION_ID="11"/);
});

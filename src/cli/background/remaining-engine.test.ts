import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { addFakeFlavor } from "../../../test/support/fake-flavor.ts";
import { describeRemainingEngine } from "./remaining-engine.ts";

test("an engine that still answers is not called stopped", async (t) => {
  const state = await mkdtemp(join(tmpdir(), "engine-after-"));
  t.after(() => rm(state, { recursive: true }));
  assert.match(
    await describeRemainingEngine(["daemon", "--state", state]),
    /with the containers and the engine/,
  );
  addFakeFlavor(t);
  await mkdir(join(state, "acme"));
  const server = createServer().listen(join(state, "acme", "acme.sock"));
  await new Promise((resolve) => server.once("listening", resolve));
  assert.match(
    await describeRemainingEngine(["daemon", "--state", state]),
    /engine still answers at .*acme\.sock/,
  );
  await new Promise((resolve) => server.close(resolve));
  assert.match(
    await describeRemainingEngine(["daemon", "--state", state, "--engine", "unix:/x"]),
    /keeps running/,
  );
});

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "../../../base/logger.ts";
import { configSchema, type EngineConfigBackup, labelsOf } from "./config-schema.ts";
import { readStillMissing, withStillMissing, writeStillMissing } from "./still-missing.ts";
import { wantedConfigFrom } from "./wanted-config.ts";

function setupOf(parts: Partial<Record<keyof EngineConfigBackup, unknown>>): EngineConfigBackup {
  return configSchema.parse({ server: {}, ...parts });
}

const network = { name: "lab0", type: "bridge", description: "", config: {} };
const secret = { "core.trust_password": { reason: "a secret", lasting: true } };

test("an item that an earlier reset could not restore is wanted of the next one, unless it exists again", () => {
  const still = {
    missing: { "network lab0": { reason: "taken", lasting: false }, ...secret },
    setup: setupOf({ networks: [network] }),
  };
  const gone = withStillMissing(wantedConfigFrom(setupOf({})), still);
  assert.deepEqual([...labelsOf(gone.setup)], ["network lab0"]);
  assert.deepEqual(Object.keys(gone.earlier), ["network lab0", "core.trust_password"]);
  const there = withStillMissing(wantedConfigFrom(setupOf({ networks: [network] })), still);
  assert.deepEqual(Object.keys(there.earlier), ["core.trust_password"]);
  assert.equal(there.setup.networks.length, 1);
});

test("a config backup of an earlier version counts as incomplete", () => {
  const old = configSchema.parse({ pools: [], networks: [network], profiles: [] });
  assert.match(wantedConfigFrom(old).incomplete ?? "", /no complete config backup/);
  assert.equal(wantedConfigFrom(setupOf({})).incomplete, undefined);
});

test("a damaged record counts as something that is missing, however often it is read", async () => {
  const folder = await mkdtemp(join(tmpdir(), "missing-"));
  try {
    const engine = join(folder, "lxd");
    await writeStillMissing(engine, { missing: secret, setup: setupOf({}) });
    assert.deepEqual((await readStillMissing(engine, silentLogger))?.missing, secret);
    await writeFile(`${engine}.missing.json`, "{");
    for (const time of ["first", "after a kill"]) {
      const damaged = await readStillMissing(engine, silentLogger);
      const lasting = Object.values(damaged?.missing ?? {}).map((each) => each.lasting);
      assert.deepEqual(lasting, [true], time);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

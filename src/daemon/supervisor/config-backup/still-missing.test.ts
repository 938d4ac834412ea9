import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { configSchema, type EngineConfigBackup, labelsOf } from "./config-schema.ts";
import { readStillMissing, withStillMissing, writeStillMissing } from "./still-missing.ts";
import { asWanted } from "./wanted-config.ts";

function setupOf(parts: Partial<Record<keyof EngineConfigBackup, unknown>>): EngineConfigBackup {
  return configSchema.parse({ server: {}, ...parts });
}

const network = { name: "lab0", type: "bridge", description: "", config: {} };
const secret = { "core.trust_password": { reason: "a secret", lasting: true } };

test("what an earlier reset could not bring back is wanted of the next, unless it is there again", () => {
  const still = {
    missing: { "network lab0": { reason: "taken", lasting: false }, ...secret },
    setup: setupOf({ networks: [network] }),
  };
  const gone = withStillMissing(asWanted(setupOf({})), still);
  assert.deepEqual([...labelsOf(gone.setup)], ["network lab0"]);
  assert.deepEqual(Object.keys(gone.earlier), ["network lab0", "core.trust_password"]);
  const there = withStillMissing(asWanted(setupOf({ networks: [network] })), still);
  assert.deepEqual(Object.keys(there.earlier), ["core.trust_password"]);
  assert.equal(there.setup.networks.length, 1);
});

test("a record of an earlier version is not all that there was", () => {
  const old = configSchema.parse({ pools: [], networks: [network], profiles: [] });
  assert.match(asWanted(old).incomplete ?? "", /no full record/);
  assert.equal(asWanted(setupOf({})).incomplete, undefined);
});

test("where a person removed the old database nothing is missing any more; a damaged file keeps it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "missing-"));
  try {
    const engine = join(folder, "lxd");
    await writeStillMissing(engine, { missing: secret, setup: setupOf({}) });
    assert.deepEqual((await readStillMissing(engine, ["database.old"]))?.missing, secret);
    assert.equal(await readStillMissing(engine, []), undefined);
    await writeFile(`${engine}.missing.json`, "{");
    const damaged = await readStillMissing(engine, ["database.old"]);
    assert.deepEqual(
      Object.values(damaged?.missing ?? {}).map(({ lasting }) => lasting),
      [true],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

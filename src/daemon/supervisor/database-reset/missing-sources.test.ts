import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse, stringify } from "yaml";
import { silentLogger } from "../../../base/logger.ts";
import { generic } from "../../sites/generic.ts";
import { stubMissingSources } from "./missing-sources.ts";

test("the site's own file is made; any other disk with a missing source is marked as not required", async () => {
  const folder = await mkdtemp(join(tmpdir(), "missing-sources-"));
  try {
    const token = join(folder, "state/tokens/penguin_token");
    const elsewhere = join(folder, "etc/cron.d/evil");
    await mkdir(join(folder, "here"));
    const devices = {
      token: { type: "disk", source: token, path: "/dev/.container_token" },
      gone: { type: "disk", source: elsewhere, path: "/gone" },
      here: { type: "disk", source: join(folder, "here"), path: "/here" },
      root: { type: "disk", pool: "default", path: "/" },
      other: { type: "disk", source: join(folder, "state/tokens/other_token"), path: "/other" },
    };
    const container = { name: "penguin", config: { "user.x": "true" }, devices, expanded_devices: devices };
    const backup = { container, snapshots: [{ name: "s", devices, expanded_devices: devices }] };
    await writeFile(join(folder, "backup.yaml"), JSON.stringify(backup));
    await stubMissingSources(join(folder, "backup.yaml"), "penguin", {
      site: generic,
      places: { state: join(folder, "state"), shared: folder },
      log: silentLogger,
    });
    assert.equal((await stat(token)).size, 0);
    await assert.rejects(stat(elsewhere));
    await assert.rejects(stat(devices.other.source));
    const after = parse(await readFile(join(folder, "backup.yaml"), "utf8")) as typeof backup;
    const notRequired = {
      ...devices,
      gone: { ...devices.gone, required: "false" },
      other: { ...devices.other, required: "false" },
    };
    assert.deepEqual(after.container.devices, notRequired);
    assert.deepEqual(after.container.config, { "user.x": "true" });
    assert.deepEqual(after.snapshots[0]?.expanded_devices, notRequired);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a backup.yaml of 80 snapshots with scripts in it is read like any other", async () => {
  const folder = await mkdtemp(join(tmpdir(), "missing-sources-"));
  try {
    const devices = { gone: { type: "disk", source: join(folder, "gone"), path: "/gone" } };
    const config = {
      "user.user-data": `#!/bin/sh\ntrue${" && true".repeat(50)}\n`,
      "user.list": "[*] & {!}",
    };
    const holder = { name: "penguin", config, devices, expanded_config: config, expanded_devices: devices };
    const snapshots = Array.from({ length: 80 }, () => ({ ...holder, profiles: [], labels: {} }));
    await writeFile(
      join(folder, "backup.yaml"),
      stringify({ container: holder, snapshots }, { aliasDuplicateObjects: false }),
    );
    await stubMissingSources(join(folder, "backup.yaml"), "penguin", {
      site: generic,
      places: {},
      log: silentLogger,
    });
    const after = parse(await readFile(join(folder, "backup.yaml"), "utf8"));
    assert.equal(after.snapshots[79].expanded_devices.gone.required, "false");
    assert.deepEqual(after.snapshots[79].config, config);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a backup.yaml that is no YAML, or nested too deeply, stays as it is", async () => {
  const folder = await mkdtemp(join(tmpdir(), "missing-sources-"));
  try {
    for (const text of ["{{{", `${"[".repeat(5000)}`]) {
      await writeFile(join(folder, "backup.yaml"), text);
      await stubMissingSources(join(folder, "backup.yaml"), "penguin", {
        site: generic,
        places: {},
        log: silentLogger,
      });
      assert.equal(await readFile(join(folder, "backup.yaml"), "utf8"), text);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

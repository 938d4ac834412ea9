import assert from "node:assert/strict";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "../../src/base/logger.ts";
import {
  isEnginesBridge,
  noteNewestInterface,
} from "../../src/daemon/supervisor/network/bridge-ownership.ts";
import { freeNetwork } from "../support/free-network.ts";
import { execute } from "../support/system-state.ts";
import { testFolder } from "../support/test-run.ts";

test("a bridge that an engine made just before it was killed is its own; a foreign one is not", async () => {
  await using network = await freeNetwork();
  const folder = await testFolder();
  const engine = join(folder, "lxd");
  const isIts = () => isEnginesBridge(engine, network.bridge, silentLogger);
  const add = (...address: string[]) =>
    execute("ip", ["link", "add", network.bridge, ...address, "type", "bridge"]);
  const remove = () => execute("ip", ["link", "delete", network.bridge]);
  try {
    await noteNewestInterface(engine, silentLogger);
    await add();
    assert.equal(await isIts(), false);
    await remove();
    await add("address", "00:16:3e:01:02:03");
    assert.equal(await isIts(), true);
    await mkdir(join(engine, "networks", network.bridge), { recursive: true });
    await noteNewestInterface(engine, silentLogger);
    assert.equal(await isIts(), true, "also once the engine was started again");
    await rm(`${engine}.bridges.json`);
    // It was there before this start: whoever made it, not this engine.
    await noteNewestInterface(engine, silentLogger);
    assert.equal(await isIts(), false);
  } finally {
    await remove().catch(() => undefined);
    await rm(folder, { recursive: true });
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { HandlerContext } from "@connectrpc/connect";
import { ContainerActions } from "../../../test/support/container-actions.ts";
import { MemoryEngine } from "../../../test/support/memory-engine/memory-engine.ts";
import { tinyImageBytes } from "../../../test/support/memory-engine/tiny-image-bytes.ts";
import { withCode } from "../../../test/support/with-code.ts";
import type { SetContainerSettingsRequest } from "../../contract/tremplin/v1/guest_pb.js";
import type { Engine } from "../../engine/engine.ts";
import { Locks } from "../operations/runner/locks.ts";
import { setContainerSettings } from "./container-settings.ts";
import type { RpcDeps } from "./rpc.ts";

async function withContainer(act: (set: Set, memory: MemoryEngine, locks: Locks) => Promise<void>) {
  await using memory = await MemoryEngine.open();
  await using engine: Engine = await memory.connect();
  const actions = new ContainerActions(engine, memory.addImage(tinyImageBytes()));
  await actions.create("c1");
  const locks = new Locks();
  const hold = (kind: string, container: string) => locks.take({ id: kind, kind, container, startedAt: 0 });
  const runner = { locks, hold };
  const deps = { engine: { running: () => engine }, runner, autostart: () => "off" } as unknown as RpcDeps;
  const context = { signal: new AbortController().signal } as HandlerContext;
  const set: Set = async (settings, containerName = "c1") => {
    const request = { containerName, settings } as unknown as SetContainerSettingsRequest;
    return await setContainerSettings(deps)(request, context);
  };
  await act(set, memory, locks);
}

type Set = (
  settings: Record<string, string>,
  name?: string,
) => Promise<{ settings: Record<string, string>; notes: string[] }>;

test("all settings of a request are changed together, or none", () =>
  withContainer(async (set, memory) => {
    const done = await set({ cpu: "2", disk: "10GiB", autostart: "on" });
    assert.deepEqual(done.settings, { cpu: "2", memory: "unlimited", disk: "10GiB", autostart: "on" });
    assert.match(done.notes.join(), /c1 is started whenever the engine starts/);
    await assert.rejects(set({ cpu: "3", memory: "lots" }), withCode("invalid"));
    assert.equal(memory.instance("c1").config["limits.cpu"], "2");
  }));

test("a disk smaller than its content, a busy and a missing container are refused, and stay", () =>
  withContainer(async (set, memory, locks) => {
    memory.holdings.diskUsage = 3e9;
    await assert.rejects(set({ disk: "1GiB" }), /c1 has 2.8 GiB on its disk, more than that/);
    assert.deepEqual(memory.instance("c1").devices, {});
    await assert.rejects(set({ cpu: "1" }, "c2"), withCode("not-found"));
    using _lock = locks.take({ id: "1", kind: "export", container: "c1", startedAt: 0 });
    await assert.rejects(set({ cpu: "1" }), withCode("busy"));
    // Whether it is there is decided under the lock.
    using _other = locks.take({ id: "2", kind: "import", container: "c2", startedAt: 0 });
    await assert.rejects(set({ cpu: "1" }, "c2"), withCode("busy"));
  }));

import assert from "node:assert/strict";
import { test } from "node:test";
import type { HandlerContext } from "@connectrpc/connect";
import { ContainerActions } from "../../../test/support/container-actions.ts";
import { MemoryEngine } from "../../../test/support/memory-engine/memory-engine.ts";
import { tinyImageBytes } from "../../../test/support/memory-engine/tiny-image-bytes.ts";
import { withCode } from "../../../test/support/with-code.ts";
import type { DeleteSnapshotRequest } from "../../contract/tremplin/v1/guest_pb.js";
import type { Engine } from "../../engine/engine.ts";
import { Locks } from "../operations/runner/locks.ts";
import type { RpcDeps } from "./rpc.ts";
import { removeSnapshot } from "./snapshots.ts";

test("whose snapshot it is, and whether it is there, is decided under the lock of its container", async () => {
  await using memory = await MemoryEngine.open();
  await using engine: Engine = await memory.connect();
  const actions = new ContainerActions(engine, memory.addImage(tinyImageBytes()));
  await actions.create("c1");
  await actions.snapshot("c1", "s1");
  const locks = new Locks();
  const hold = (kind: string, container: string) => locks.take({ id: kind, kind, container, startedAt: 0 });
  const deps = { engine: { running: () => engine }, runner: { locks, hold } } as unknown as RpcDeps;
  const context = { signal: new AbortController().signal } as HandlerContext;
  const remove = (snapshotName: string) =>
    removeSnapshot(deps)({ containerName: "c1", snapshotName } as DeleteSnapshotRequest, context);
  const others = hold("import", "c1");
  await assert.rejects(remove("s2"), withCode("busy"));
  others[Symbol.dispose]();
  await assert.rejects(remove("s2"), withCode("not-found"));
  await remove("s1");
  assert.deepEqual(memory.instance("c1").snapshots, []);
  assert.deepEqual(locks.all(), []);
});

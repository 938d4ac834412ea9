import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { executePrograms } from "../../test/support/engine-behaviour/inside.ts";
import { engineBehaviour } from "../../test/support/engine-behaviour.ts";
import { MemoryEngine } from "../../test/support/memory-engine/memory-engine.ts";
import { tinyImageBytes } from "../../test/support/memory-engine/tiny-image-bytes.ts";
import { withCode } from "../../test/support/with-code.ts";

engineBehaviour("the engine in memory", async () => {
  const memory = await MemoryEngine.open();
  memory.execute = executePrograms;
  return {
    connect: () => memory.connect(),
    async upload(engine) {
      const { metadata, rootfs } = tinyImageBytes();
      return (await engine.images.uploadSplit(Readable.from([metadata]), Readable.from([rootfs])))
        .fingerprint;
    },
    [Symbol.asyncDispose]: () => memory[Symbol.asyncDispose](),
  };
});

describe("faults of the engine in memory", () => {
  test("a request fails once, or its operation does", async () => {
    await using memory = await MemoryEngine.open();
    await using engine = await memory.connect();
    const create = () => engine.instances.create({ name: "c1", source: { type: "none" } });
    memory.failNext("POST", /instances$/, "the disk is full");
    const failing = await create();
    await assert.rejects(failing.wait(), /the disk is full/);
    memory.failNext("POST", /instances$/, "not now", { status: 503 });
    await assert.rejects(create(), withCode("unavailable"));
    memory.failNext("GET", /instances$/, "broken");
    await assert.rejects(engine.instances.list(), withCode("failed"));
    assert.deepEqual(await engine.instances.list(), []);
  });

  test("work is held back, reports its progress, and goes on or is cancelled", async () => {
    await using memory = await MemoryEngine.open();
    await using engine = await memory.connect();
    const creating = async (mayCancel: boolean) => {
      const held = memory.hold("POST", /instances$/, { mayCancel });
      const creation = await engine.instances.create({ name: "c1", source: { type: "none" } });
      await held.reached;
      return { held, creation };
    };
    const { held, creation } = await creating(false);
    assert.equal((await engine.operations.changing("c1")).length, 1);
    await assert.rejects(creation.cancel(), withCode("failed"));
    held.progress({ download_progress: "rootfs: 42% (1.00MB/s)" });
    for await (const { metadata } of creation.updates()) {
      if (metadata?.download_progress) break;
    }
    held.release();
    await creation.wait();
    const cancelled = await creating(true);
    await cancelled.creation.cancel();
    await assert.rejects(cancelled.creation.wait(), withCode("cancelled"));
  });

  test("when it dies, work under way is lost and containers are not", async () => {
    await using memory = await MemoryEngine.open();
    await using engine = await memory.connect();
    await (await engine.instances.create({ name: "c1", source: { type: "none" } })).wait();
    await (await engine.instances.setState("c1", { action: "start" })).wait();
    const held = memory.hold("POST", /snapshots$/);
    const snapshot = await engine.snapshots.create("c1", "s1");
    await held.reached;
    await memory.die();
    held.release();
    await assert.rejects(snapshot.wait(), withCode("unavailable"));
    await assert.rejects(engine.instances.get("c1"), withCode("unavailable"));
    await memory.revive();
    assert.deepEqual(await engine.operations.list(), []);
    assert.deepEqual(await engine.snapshots.list("c1"), []);
    assert.equal((await engine.instances.get("c1")).value.status, "Running");
  });
});

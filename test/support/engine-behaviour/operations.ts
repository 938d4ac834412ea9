import assert from "node:assert/strict";
import { test } from "node:test";
import { TremplinError } from "../../../src/base/tremplin-error.ts";
import type { EngineEvent } from "../../../src/engine/events/engine-event.ts";
import type { Bench } from "../engine-behaviour.ts";
import { withCode } from "../with-code.ts";

/** Work in the background: its progress, its end and its events. */
export function operationBehaviour(bench: () => Bench): void {
  test("an operation is followed to its end, which is kept", async () => {
    const { engine, hands, image } = bench();
    const source = { type: "image", fingerprint: image } as const;
    const creating = await engine.instances.create({ name: "followed", source });
    for await (const update of creating.updates()) {
      assert.equal(update.id, creating.id);
      assert.ok(update.status_code < 200);
      assert.equal(update.description, "Creating instance");
    }
    for (const end of [await creating.wait(), await creating.wait()]) {
      assert.equal(end.status_code, 200);
      assert.deepEqual(end.resources?.instances, ["/1.0/instances/followed"]);
    }
    await hands.delete("followed");
  });

  test("an operation that failed says why", async () => {
    const { engine, hands } = bench();
    await hands.create("again");
    const creating = await engine.instances.create({ name: "again", source: { type: "none" } });
    await assert.rejects(creating.wait(), /Creating instance: .*This "instances" entry already exists/);
    await hands.delete("again");
  });

  test("work that has ended changes nothing any more; what cannot be cancelled says so", async () => {
    const { engine, hands } = bench();
    const creating = await engine.instances.create({ name: "over", source: { type: "none" } });
    await creating.wait();
    assert.deepEqual(await engine.operations.changing("over"), []);
    await assert.rejects(creating.cancel(), withCode("failed"));
    await hands.delete("over");
  });

  test("an abort ends the waiting at once and leaves the operation alone", async () => {
    const { engine, hands } = bench();
    const creating = await engine.instances.create({ name: "left", source: { type: "none" } });
    const reason = new TremplinError("cancelled", "enough");
    await assert.rejects(creating.wait({ signal: AbortSignal.abort(reason) }), reason);
    assert.equal((await creating.wait()).status_code, 200);
    await hands.delete("left");
  });

  test("events report the beginning and the end of work, and the change of the container", async () => {
    const { engine, hands } = bench();
    const events: EngineEvent[] = [];
    const waiting: { readonly is: (event: EngineEvent) => boolean; readonly resolve: () => void }[] = [];
    using subscription = engine.events.subscribe({ types: ["operation", "lifecycle"] }, (event) => {
      events.push(event);
      for (const { is, resolve } of waiting) if (is(event)) resolve();
    });
    await subscription.ready;
    const seen = async (is: (event: EngineEvent) => boolean): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ is, resolve });
      if (events.some(is)) resolve();
      await promise;
    };
    const operation = (code: number) => (event: EngineEvent) =>
      event.type === "operation" && event.metadata.status_code === code;
    const lifecycle = (action: string, source: string) => (event: EngineEvent) =>
      event.type === "lifecycle" && event.metadata.action === action && event.metadata.source === source;
    await hands.create("watched");
    for (const code of [105, 103, 200]) await seen(operation(code));
    await seen(lifecycle("instance-created", "/1.0/instances/watched"));
    await hands.act("watched", "start");
    await seen(lifecycle("instance-started", "/1.0/instances/watched"));
    await hands.act("watched", "stop");
    await seen(lifecycle("instance-stopped", "/1.0/instances/watched"));
    await hands.rename("watched", "renamed");
    await seen(lifecycle("instance-renamed", "/1.0/instances/renamed"));
    await assert.rejects(hands.create("renamed"));
    await seen(operation(400));
    await hands.delete("renamed");
    await seen(lifecycle("instance-deleted", "/1.0/instances/renamed"));
  });
}

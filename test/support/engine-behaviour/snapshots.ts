import assert from "node:assert/strict";
import { test } from "node:test";
import { instanceStatus } from "../../../src/engine/resources/instance.ts";
import type { Bench } from "../engine-behaviour.ts";
import { withCode } from "../with-code.ts";

/** Snapshots: taken, restored, limited in time and deleted. */
export function snapshotBehaviour(bench: () => Bench): void {
  test("a snapshot brings back files and settings, and neither identity nor last use", async () => {
    const { hands } = bench();
    await hands.create("snapped");
    await hands.act("snapped", "start");
    await hands.act("snapped", "stop");
    const before = await hands.set("snapped", { "user.mark": "before" });
    await hands.write("snapped", "/root/before", "text");
    await hands.snapshot("snapped", "s1");
    await hands.write("snapped", "/root/after", "text");
    await hands.set("snapped", { "user.mark": "after" });
    const restored = await hands.restore("snapped", "s1");
    assert.equal(restored.config["user.mark"], "before");
    assert.equal(restored.config["volatile.uuid"], before.config["volatile.uuid"]);
    assert.equal(restored.created_at, before.created_at);
    assert.equal(restored.last_used_at, before.last_used_at);
    assert.equal(restored.status_code, instanceStatus.stopped);
    assert.equal(await hands.read("snapped", "/root/before"), "text");
    await assert.rejects(hands.read("snapped", "/root/after"), withCode("not-found"));
    await hands.delete("snapped");
  });

  test("a snapshot bears the settings of its container", async () => {
    const { engine, hands } = bench();
    await hands.create("marked", { config: { "user.mark": "yes" } });
    await hands.snapshot("marked", "s1");
    const { config, profiles, devices, name, created_at, expires_at } = await engine.snapshots.get(
      "marked",
      "s1",
    );
    assert.deepEqual([name, config["user.mark"], profiles, devices], ["s1", "yes", ["default"], {}]);
    assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000);
    assert.ok(Date.parse(expires_at) < 0, "it stays for ever");
    await hands.delete("marked");
  });

  test("a running container that is restored runs, as one that was started", async () => {
    const { hands } = bench();
    await hands.create("live");
    const started = await hands.act("live", "start");
    await hands.snapshot("live", "s1");
    const restored = await hands.restore("live", "s1");
    assert.equal(restored.status_code, instanceStatus.running);
    assert.notEqual(restored.last_used_at, started?.last_used_at);
    await hands.act("live", "stop");
    await hands.delete("live");
  });

  test("a taken name is another error than a missing snapshot", async () => {
    const { engine, hands } = bench();
    await hands.create("twice");
    await hands.snapshot("twice", "s1");
    await assert.rejects(hands.snapshot("twice", "s1"), withCode("exists"));
    await assert.rejects(engine.snapshots.get("twice", "s2"), withCode("not-found"));
    await assert.rejects(engine.snapshots.delete("twice", "s2"), withCode("not-found"));
    await assert.rejects(hands.restore("twice", "s2"), withCode("failed"));
    await assert.rejects(engine.snapshots.expire("twice", "s2", new Date()), withCode("not-found"));
    await hands.delete("twice");
  });

  test("a snapshot gets a time at which it goes, and is deleted", async () => {
    const { engine, hands } = bench();
    await hands.create("limited");
    await hands.snapshot("limited", "s1");
    const expiresAt = new Date("2098-01-01T00:00:00Z");
    await (await engine.snapshots.create("limited", "s2", { expiresAt })).wait();
    assert.equal(Date.parse((await engine.snapshots.get("limited", "s2")).expires_at), Date.UTC(2098, 0, 1));
    await engine.snapshots.expire("limited", "s1", new Date("2099-01-01T00:00:00Z"));
    const { expires_at } = await engine.snapshots.get("limited", "s1");
    assert.equal(Date.parse(expires_at), Date.UTC(2099, 0, 1));
    const full = (await engine.instances.listFull()).find(({ name }) => name === "limited");
    assert.deepEqual(full?.snapshots?.map(({ name }) => name).sort(), ["s1", "s2"]);
    await hands.deleteSnapshot("limited", "s1");
    assert.deepEqual(await hands.snapshots("limited"), ["s2"]);
    await hands.delete("limited");
  });
}

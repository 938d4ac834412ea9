import assert from "node:assert/strict";
import { test } from "node:test";
import { instanceStatus } from "../../../src/engine/resources/instance.ts";
import type { Bench } from "../engine-behaviour.ts";
import { withCode } from "../with-code.ts";

const ON_DISK = "volatile.last_state.idmap";
const NEXT = "volatile.idmap.next";

/** Containers: created, or not. */
export function containerCreation(bench: () => Bench): void {
  test("a new container is stopped and was never used, and its files have the owners that it sees", async () => {
    const { hands, image } = bench();
    const { config, expanded_devices, ...made } = await hands.create("new");
    assert.equal(made.status_code, instanceStatus.stopped);
    assert.deepEqual([made.type, made.profiles, made.ephemeral], ["container", ["default"], false]);
    assert.ok(Date.parse(made.last_used_at) <= 0);
    assert.ok(Math.abs(Date.parse(made.created_at) - Date.now()) < 60_000);
    assert.match(config["volatile.uuid"] ?? "", /^[0-9a-f-]{36}$/);
    assert.deepEqual([config["image.os"], config["volatile.base_image"]], ["tiny", image]);
    assert.equal(config[ON_DISK], "[]");
    assert.match(config[NEXT] ?? "", /"Hostid":\d{4,}/);
    assert.equal(expanded_devices.root?.pool, "default");
    await hands.delete("new");
  });

  test("an empty container is made without an image", async () => {
    const { hands } = bench();
    const { config, status_code } = await hands.create("empty", {
      source: { type: "none" },
      config: { "image.os": "mine" },
    });
    assert.equal(status_code, instanceStatus.stopped);
    assert.equal(config["image.os"], "mine");
    await hands.delete("empty");
  });

  test("a name that is taken makes the operation fail; a name or an image that cannot be is refused", async () => {
    const { engine, hands } = bench();
    await hands.create("taken");
    await assert.rejects(hands.create("taken"), withCode("exists"));
    await assert.rejects(hands.create("taken", { source: { type: "none" } }), withCode("exists"));
    await assert.rejects(
      engine.instances.create({ name: "a_b", source: { type: "none" } }),
      withCode("failed"),
    );
    const [unknown, unnamed] = [
      { type: "image", fingerprint: "0123456789ab" },
      { type: "image", alias: "no-such-image" },
    ] as const;
    await assert.rejects(hands.create("other", { source: unknown }), withCode("failed"));
    await assert.rejects(hands.create("other", { source: unnamed }), withCode("not-found"));
    await hands.delete("taken");
  });

  test("what is not there is not found, whatever is asked of it", async () => {
    const { engine, hands } = bench();
    for (const ask of [
      () => engine.instances.get("nobody"),
      () => engine.instances.state("nobody"),
      () => engine.instances.metadata("nobody"),
      () => hands.act("nobody", "start"),
      () => hands.delete("nobody"),
      () => hands.rename("nobody", "somebody"),
      () => hands.set("nobody", {}),
      () => hands.snapshot("nobody", "s"),
      () => hands.snapshots("nobody"),
      () => hands.restore("nobody", "s"),
    ]) {
      await assert.rejects(ask, withCode("not-found"));
    }
  });
}

/** Containers: started, frozen, stopped. */
export function containerStates(bench: () => Bench): void {
  test("a start moves the last use and the owners on disk, a stop does not", async () => {
    const { engine, hands } = bench();
    const { last_used_at: never } = await hands.create("life");
    const started = await hands.act("life", "start");
    assert.equal(started?.status_code, instanceStatus.running);
    assert.ok(Date.parse(started.last_used_at) > Date.parse(never));
    const { config } = started;
    assert.equal(config["volatile.idmap.current"], config[NEXT]);
    assert.equal(config["volatile.last_state.power"], "RUNNING");
    assert.ok((await engine.instances.state("life")).pid > 1);
    await assert.rejects(hands.act("life", "start"), withCode("failed"));
    const stopped = await hands.act("life", "stop");
    assert.equal(stopped?.status_code, instanceStatus.stopped);
    assert.equal(stopped.last_used_at, started.last_used_at);
    assert.equal((await engine.instances.state("life")).pid, 0);
    await assert.rejects(hands.act("life", "stop"), withCode("failed"));
    const again = await hands.act("life", "start");
    assert.notEqual(again?.last_used_at, started.last_used_at);
    await hands.act("life", "stop");
    await hands.delete("life");
  });

  test("a container that is to be privileged gets no id map with the next start", async () => {
    const { hands } = bench();
    await hands.create("privileged");
    assert.equal((await hands.set("privileged", { "security.privileged": "true" })).config[NEXT], "[]");
    const started = await hands.act("privileged", "start");
    assert.equal(started?.config["volatile.idmap.current"], "[]");
    await hands.act("privileged", "stop");
    const back = await hands.set("privileged", { "security.privileged": "false" });
    assert.match(back.config[NEXT] ?? "", /"Hostid":\d{4,}/);
    await hands.delete("privileged");
  });

  test("a container is frozen and goes on; twice is refused", async () => {
    const { hands } = bench();
    await hands.create("cold");
    await hands.act("cold", "start");
    assert.equal((await hands.act("cold", "freeze"))?.status_code, instanceStatus.frozen);
    await assert.rejects(hands.act("cold", "freeze"), withCode("failed"));
    assert.equal((await hands.act("cold", "unfreeze"))?.status_code, instanceStatus.running);
    await hands.act("cold", "stop");
    await hands.delete("cold");
  });

  test("a running container is neither deleted nor renamed", async () => {
    const { hands } = bench();
    await hands.create("busy");
    await hands.act("busy", "start");
    await assert.rejects(hands.delete("busy"), withCode("failed"));
    await assert.rejects(hands.rename("busy", "idle"), withCode("failed"));
    assert.equal((await hands.get("busy")).status_code, instanceStatus.running);
    await hands.act("busy", "stop");
    await hands.delete("busy");
  });

  test("an ephemeral container is gone when it stops", async () => {
    const { hands } = bench();
    await hands.create("passing", { ephemeral: true });
    await hands.act("passing", "start");
    assert.equal(await hands.act("passing", "stop"), undefined);
  });
}

/** Containers: renamed, protected, changed. */
export function containerChanges(bench: () => Bench): void {
  test("a renamed container is the same one; a taken name is refused at once", async () => {
    const { engine, hands } = bench();
    const before = await hands.create("before");
    await hands.snapshot("before", "s");
    await hands.create("neighbour");
    await assert.rejects(engine.instances.rename("before", "neighbour"), withCode("exists"));
    await hands.rename("before", "after");
    await assert.rejects(engine.instances.get("before"), withCode("not-found"));
    const after = await hands.get("after");
    assert.equal(after.config["volatile.uuid"], before.config["volatile.uuid"]);
    assert.equal(after.created_at, before.created_at);
    assert.equal(after.last_used_at, before.last_used_at);
    assert.deepEqual(await hands.snapshots("after"), ["s"]);
    await hands.delete("after");
    await hands.delete("neighbour");
  });

  test("a protected container stays, whether it or its profile says so", async () => {
    const { engine, hands } = bench();
    const protection = { "security.protection.delete": "true" };
    await engine.profiles.create({ name: "precious", config: protection });
    await hands.create("kept", { config: protection });
    await hands.create("shielded", { profiles: ["default", "precious"] });
    assert.deepEqual((await hands.get("shielded")).expanded_config["security.protection.delete"], "true");
    for (const name of ["kept", "shielded"]) {
      await assert.rejects(hands.delete(name), withCode("failed"));
      await hands.set(name, { "security.protection.delete": "false" });
      await hands.delete(name);
    }
    await engine.profiles.delete("precious");
  });

  test("a change of what a user changed meanwhile is applied again, a version that is gone is a conflict", async () => {
    const { engine, hands, connect } = bench();
    await using rival = await connect();
    await hands.create("contended");
    const set = (by: typeof engine, key: string) =>
      by.instances.update("contended", (old) => ({ ...old, config: { ...old.config, [key]: "1" } }));
    await Promise.all([set(engine, "user.ours"), set(rival, "user.theirs")]);
    const { config } = await hands.get("contended");
    assert.deepEqual([config["user.ours"], config["user.theirs"]], ["1", "1"]);
    const before = await engine.instances.get("contended");
    await hands.set("contended", { "user.mark": "yes" });
    assert.notEqual((await engine.instances.get("contended")).etag, before.etag);
    await hands.delete("contended");
  });

  test("what an image says of itself is read and changed", async () => {
    const { engine, hands } = bench();
    await hands.create("said");
    await engine.instances.updateMetadata("said", (metadata) => ({
      ...metadata,
      properties: { ...metadata.properties, mark: "yes" },
    }));
    const { properties } = (await engine.instances.metadata("said")).value;
    assert.deepEqual([properties?.os, properties?.mark], ["tiny", "yes"]);
    await assert.rejects(engine.instances.template("said", "none.tpl"), withCode("not-found"));
    await hands.delete("said");
  });
}

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { TremplinError } from "../../src/base/tremplin-error.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { OperationRecord } from "../../src/engine/operations/operation-record.ts";
import { type InstanceUpdate, instanceStatus } from "../../src/engine/resources/instance.ts";
import { type PrivateLxd, privateLxd } from "../support/private-lxd.ts";
import { booted, tinyImage, uploadTinyImage } from "../support/tiny-image.ts";
import { withCode } from "../support/with-code.ts";

describe("a client of a running engine", () => {
  let lxd: PrivateLxd;
  let engine: Engine;
  let image: string;

  before(async () => {
    lxd = await privateLxd();
    engine = await lxd.connect();
    image = await uploadTinyImage(engine);
  });
  after(async () => {
    await engine?.[Symbol.asyncDispose]();
    await lxd?.[Symbol.asyncDispose]();
  });

  const create = async (name: string) => {
    const creating = await engine.instances.create({ name, source: { type: "image", fingerprint: image } });
    await creating.wait();
  };
  const act = async (name: string, action: "start" | "stop" | "freeze" | "unfreeze") => {
    const changing = await engine.instances.setState(name, { action, force: action === "stop" });
    await changing.wait();
  };
  const remove = async (name: string) => {
    await (await engine.instances.delete(name)).wait();
  };
  const write = async (name: string, path: string) => {
    using files = await engine.fileSession(name);
    await files.create(path, Buffer.from("text"), { uid: 0, gid: 0, mode: 0o644 });
  };
  const read = async (name: string, path: string) => {
    using files = await engine.fileSession(name);
    return String(await files.read(path, 1024));
  };
  const status = async (name: string) => (await engine.instances.get(name)).value.status_code;

  test("the engine says who it is", () => {
    assert.equal(engine.info.kind, lxd.kind);
    assert.match(engine.info.version, /^\d+\.\d+/);
    assert.equal(engine.info.pid, lxd.pid);
    assert.ok(engine.info.apiExtensions.has("instances"));
    assert.ok(engine.info.storageDrivers.includes("dir"));
  });

  test("a container lives: created, started, frozen, copied, renamed, stopped, deleted", async () => {
    await create("life");
    assert.equal(await status("life"), instanceStatus.stopped);
    await act("life", "start");
    assert.equal(await status("life"), instanceStatus.running);
    const state = await engine.instances.state("life");
    assert.ok(state.pid > 1 && state.processes >= 1);
    await act("life", "freeze");
    assert.equal(await status("life"), instanceStatus.frozen);
    await act("life", "unfreeze");
    await act("life", "stop");
    const copying = await engine.instances.copy("life", "twin", {
      change: (instance) => ({ ...instance, config: { ...instance.config, "user.mark": "copied" } }),
    });
    await copying.wait();
    const twin = (await engine.instances.get("twin")).value;
    assert.equal(twin.config["user.mark"], "copied");
    assert.deepEqual(twin.profiles, ["default"]);
    assert.equal(twin.expanded_devices.root?.pool, "default");
    await (await engine.instances.rename("twin", "other")).wait();
    await assert.rejects(engine.instances.get("twin"), withCode("not-found"));
    await assert.rejects(engine.instances.rename("other", "life"), withCode("exists"));
    assert.deepEqual((await engine.instances.list()).map(({ name }) => name).sort(), ["life", "other"]);
    const log = await (await engine.instances.log("life", "lxc.log")).toArray();
    assert.ok(Array.isArray(log));
    await remove("life");
    await remove("other");
  });

  test("what is there already, is busy or is unknown is said so", async () => {
    await create("here");
    const again = await engine.instances.create({
      name: "here",
      source: { type: "image", fingerprint: image },
    });
    await assert.rejects(again.wait(), withCode("exists"));
    await assert.rejects(engine.pools.create({ name: "default", driver: "dir" }), withCode("exists"));
    await assert.rejects(engine.profiles.create({ name: "default" }), withCode("exists"));
    await assert.rejects(engine.instances.get("nope"), withCode("not-found"));
    await assert.rejects(engine.pools.get("nope"), withCode("not-found"));
    await assert.rejects(engine.networks.get("nope"), withCode("not-found"));
    await assert.rejects(engine.profiles.get("nope"), withCode("not-found"));
    await assert.rejects(engine.images.get("0123456789ab"), withCode("not-found"));
    await assert.rejects(engine.images.resolve("nope"), withCode("not-found"));
    await assert.rejects(engine.snapshots.get("here", "nope"), withCode("not-found"));
    await assert.rejects(engine.execCapture("nope", ["true"]), withCode("not-found"));
    await assert.rejects(engine.execCapture("here", ["true"]), withCode("failed"));
    await assert.rejects(engine.instances.get("../networks"), withCode("failed"));
    await assert.rejects(engine.instances.get(".."), withCode("invalid"));
    await remove("here");
  });

  test("no end is missed, however quick the operation", async () => {
    await create("quick");
    for (let round = 0; round < 50; round++) {
      const operation =
        round % 2 ? await engine.snapshots.delete("quick", "s") : await engine.snapshots.create("quick", "s");
      const following = operation.follow(AbortSignal.timeout(20_000));
      let step = await following.next();
      while (!step.done) step = await following.next();
      assert.equal(step.value.status_code, 200, `round ${round}`);
      assert.equal(step.value.id, operation.id);
    }
    assert.deepEqual(await engine.snapshots.list("quick"), []);
    await remove("quick");
  });

  test("an operation's end is kept for whoever asks after the engine forgot it", async () => {
    const creating = await engine.instances.create({
      name: "kept",
      source: { type: "image", fingerprint: image },
    });
    await creating.wait();
    // The engine keeps an ended operation for 5 s: asked until it is not listed any more.
    while ((await engine.operations.list()).some(({ id }) => id === creating.id)) await setTimeout(200);
    assert.equal((await creating.wait()).status_code, 200);
    await remove("kept");
  });

  test("an operation tells how far it has come", async () => {
    const creating = await engine.instances.create({
      name: "told",
      source: { type: "image", fingerprint: image },
    });
    const updates: OperationRecord[] = [];
    for await (const update of creating.updates()) updates.push(update);
    assert.ok(updates.length > 0);
    assert.ok(updates.every(({ id, status_code }) => id === creating.id && status_code < 200));
    await creating.wait();
    await remove("told");
  });

  test("an abort ends the waiting at once and leaves the operation alone", async () => {
    await create("left");
    await act("left", "start");
    await booted(engine, "left");
    const stopping = await engine.instances.setState("left", { action: "stop", timeout: 60 });
    const reason = new TremplinError("cancelled", "enough");
    await assert.rejects(stopping.wait({ signal: AbortSignal.abort(reason) }), reason);
    const aborting = new AbortController();
    const waiting = stopping.wait({ signal: aborting.signal });
    aborting.abort(reason);
    await assert.rejects(waiting, reason);
    const [found] = await engine.operations.changing("left");
    assert.equal(found?.id, stopping.id);
    await found?.wait();
    assert.equal(await status("left"), instanceStatus.stopped);
    assert.deepEqual(await engine.operations.changing("left"), []);
    await remove("left");
  });

  test("a change in between is read again and nothing of it is lost", async () => {
    await create("contended");
    await using rival = await lxd.connect();
    const mark = (key: string) => (instance: InstanceUpdate) => ({
      ...instance,
      config: { ...instance.config, [`user.${key}`]: "yes" },
    });
    const updates = Array.from({ length: 4 }, (_, index) => [
      engine.instances.update("contended", mark(`ours.${index}`)),
      rival.instances.update("contended", mark(`theirs.${index}`)),
    ]);
    await Promise.all(updates.flat());
    const { config } = (await engine.instances.get("contended")).value;
    assert.equal(Object.keys(config).filter((key) => key.startsWith("user.")).length, 8);
    await remove("contended");
  });

  test("an update is applied anew to what a rival left, and gives up on a rival without end", async () => {
    await create("raced");
    const rival = (value: number) => {
      lxd.cliSync("config", "set", "raced", `user.rival=${value}`);
    };
    const seen: (string | undefined)[] = [];
    const change = (rivals: number) => (instance: InstanceUpdate) => {
      seen.push(instance.config["user.rival"]);
      if (seen.length <= rivals) rival(seen.length);
      return { ...instance, config: { ...instance.config, "user.ours": String(seen.length) } };
    };
    await engine.instances.update("raced", change(2));
    assert.deepEqual(seen, [undefined, "1", "2"]);
    const { config } = (await engine.instances.get("raced")).value;
    assert.equal(config["user.rival"], "2");
    assert.equal(config["user.ours"], "3");
    seen.length = 0;
    await assert.rejects(engine.instances.update("raced", change(99)), withCode("conflict"));
    assert.equal(seen.length, 5);
    await remove("raced");
  });

  test("metadata, profiles, pools and the server's configuration are read and changed", async () => {
    await create("told");
    await engine.instances.updateMetadata("told", (metadata) => ({
      ...metadata,
      properties: { ...metadata.properties, mark: "yes" },
    }));
    assert.equal((await engine.instances.metadata("told")).value.properties?.mark, "yes");
    await remove("told");
    await engine.profiles.create({ name: "extra", config: { "user.a": "1" } });
    await engine.profiles.update("extra", (profile) => ({ ...profile, description: "changed" }));
    const { description, config } = (await engine.profiles.get("extra")).value;
    assert.deepEqual({ description, config }, { description: "changed", config: { "user.a": "1" } });
    await engine.profiles.delete("extra");
    await engine.pools.update("default", (pool) => ({ ...pool, description: "changed" }));
    assert.equal((await engine.pools.get("default")).value.description, "changed");
    const { space } = await engine.pools.resources("default");
    assert.ok(space.total > space.used && space.used > 0);
    await assert.rejects(engine.pools.delete("default"), withCode("failed"));
    await engine.server.updateConfig((server) => ({ ...server, "user.mark": "yes" }));
    assert.equal((await engine.server.config())["user.mark"], "yes");
  });

  test("a snapshot is taken, restored and deleted", async () => {
    await create("snapped");
    await write("snapped", "/root/before");
    await (await engine.snapshots.create("snapped", "s1")).wait();
    await write("snapped", "/root/after");
    await (await engine.snapshots.restore("snapped", "s1")).wait();
    assert.equal(await read("snapped", "/root/before"), "text");
    await assert.rejects(read("snapped", "/root/after"), withCode("not-found"));
    assert.deepEqual(
      (await engine.snapshots.list("snapped")).map(({ name }) => name),
      ["s1"],
    );
    assert.equal((await engine.snapshots.get("snapped", "s1")).name, "s1");
    await (await engine.snapshots.delete("snapped", "s1")).wait();
    await assert.rejects(engine.snapshots.get("snapped", "s1"), withCode("not-found"));
    await remove("snapped");
  });

  test("an image is uploaded in two parts; the second time it is there already", async () => {
    await using tiny = await tinyImage({ "etc/other": "other" });
    const size = (await stat(tiny.metadata)).size + (await stat(tiny.rootfs)).size;
    const upload = async () => {
      let sent = 0;
      const uploaded = await engine.images.uploadSplit(
        createReadStream(tiny.metadata),
        createReadStream(tiny.rootfs),
        { onProgress: (bytes) => (sent = bytes) },
      );
      assert.equal(sent, size);
      return uploaded;
    };
    const first = await upload();
    assert.equal(first.existed, false);
    assert.equal((await engine.images.get(first.fingerprint)).size, size);
    assert.deepEqual(await upload(), { fingerprint: first.fingerprint, existed: true });
    await engine.images.addAlias("other", first.fingerprint);
    assert.equal(await engine.images.resolve("other"), first.fingerprint);
    await assert.rejects(engine.images.addAlias("other", first.fingerprint), withCode("exists"));
    await engine.images.deleteAlias("other");
    await engine.images.delete(first.fingerprint);
    await assert.rejects(engine.images.get(first.fingerprint), withCode("not-found"));
  });

  test("an image is uploaded as one file; what is no image fails, a broken source too", async () => {
    await using tiny = await tinyImage({ "etc/other": "unified" });
    const folder = dirname(tiny.metadata);
    const file = join(folder, "unified.tar");
    execFileSync("tar", ["-C", folder, "--transform=s,^root,rootfs,", "-cf", file, "metadata.yaml", "root"]);
    const { fingerprint } = await engine.images.upload("unified.tar", createReadStream(file));
    const create = { name: "unified", source: { type: "image", fingerprint } } as const;
    await (await engine.instances.create(create)).wait();
    assert.equal(await read("unified", "/etc/other"), "unified");
    await remove("unified");
    await engine.images.delete(fingerprint);
    await assert.rejects(
      engine.images.upload("x", Readable.from([Buffer.from("garbage")])),
      withCode("failed"),
    );
    const broken = createReadStream(join(folder, "not-there"));
    await assert.rejects(engine.images.upload("x", broken), /ENOENT/);
    assert.deepEqual(
      (await engine.images.list()).map((each) => each.fingerprint),
      [image],
    );
  });
});

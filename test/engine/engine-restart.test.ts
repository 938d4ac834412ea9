import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { silentLogger } from "../../src/base/logger.ts";
import { TremplinError } from "../../src/base/tremplin-error.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { EngineEvent } from "../../src/engine/events/engine-event.ts";
import { isReady } from "../../src/engine/http/is-ready.ts";
import { instanceOf } from "../../src/engine/operations/operation-record.ts";
import { downloadProgress } from "../../src/engine/operations/progress.ts";
import { type PrivateLxd, privateLxd } from "../support/private-lxd.ts";
import { repository } from "../support/repository.ts";
import { Simplestreams } from "../support/simplestreams.ts";
import { execute } from "../support/system-state.ts";
import { tinyImage, uploadTinyImage } from "../support/tiny-image.ts";
import { withCode } from "../support/with-code.ts";

describe("an engine that goes away and comes back", () => {
  let lxd: PrivateLxd;
  let engine: Engine;

  beforeEach(async () => {
    lxd = await privateLxd();
    engine = await lxd.connect();
  });
  afterEach(async () => {
    await engine?.[Symbol.asyncDispose]();
    await lxd?.[Symbol.asyncDispose]();
  });

  const create = async (name: string) => {
    const source = { type: "image", alias: "tiny" } as const;
    return engine.instances.create({ name, source });
  };

  test("while it is away it is unavailable, which is not the same as having nothing", async () => {
    await uploadTinyImage(engine);
    assert.equal(await isReady(lxd.address), true);
    await lxd.stop();
    assert.equal(await isReady(lxd.address), false);
    const unavailable = (error: unknown) =>
      withCode("unavailable")(error) && (error as Error).message.includes(lxd.address.path);
    await assert.rejects(engine.instances.get("nope"), unavailable);
    await assert.rejects(engine.fileSession("nope"), unavailable);
    await assert.rejects(engine.execCapture("nope", ["true"]), unavailable);
    await assert.rejects(create("nope"), unavailable);
    await assert.rejects(Engine.connect(lxd.address, { log: silentLogger }), unavailable);
    const nowhere = { kind: "unix", path: `${lxd.folder}/no.socket` } as const;
    assert.equal(await isReady(nowhere), false);
    await assert.rejects(Engine.connect(nowhere, { log: silentLogger }), withCode("unavailable"));
    await lxd.start();
    await assert.rejects(engine.instances.get("nope"), withCode("not-found"));
    await (await create("back")).wait();
    assert.equal((await engine.instances.list()).length, 1);
  });

  test("its events flow again by themselves, and who watches is told to look anew", async () => {
    await uploadTinyImage(engine);
    const events: EngineEvent[] = [];
    let heard = Promise.withResolvers<void>();
    const reconnected = Promise.withResolvers<void>();
    using subscription = engine.events.subscribe(
      { types: ["lifecycle"], reconnected: () => reconnected.resolve() },
      (event) => {
        events.push(event);
        if (event.type === "lifecycle" && event.metadata.action === "instance-created") heard.resolve();
      },
    );
    await subscription.ready;
    await (await create("first")).wait();
    await heard.promise;
    await lxd.stop("SIGKILL");
    using early = engine.events.subscribe({ types: ["operation"] }, () => undefined);
    await assert.rejects(early.ready, withCode("unavailable"));
    await lxd.start();
    await reconnected.promise;
    heard = Promise.withResolvers<void>();
    events.length = 0;
    await (await create("second")).wait();
    await heard.promise;
    const names = events.map((event) => event.type === "lifecycle" && instanceOf(event.metadata.source));
    assert.ok(names.includes("second") && !names.includes("first"));
    assert.ok(events.every(({ type }) => type === "lifecycle"));
  });

  test("a failing listener harms neither the stream nor the other listeners", async () => {
    await uploadTinyImage(engine);
    using failing = engine.events.subscribe({ types: ["operation"] }, () => {
      throw new Error("a bug");
    });
    const heard = Promise.withResolvers<void>();
    using hearing = engine.events.subscribe({ types: ["operation"] }, () => heard.resolve());
    await Promise.all([failing.ready, hearing.ready]);
    await (await create("c")).wait();
    await heard.promise;
  });

  test("an operation under way ends as unavailable when the engine dies", async () => {
    await using source = await slowSource();
    const creating = await engine.instances.create({ name: "c", source: source.asked });
    await source.server.begun;
    const told = assert.rejects(creating.wait(), withCode("unavailable"));
    await lxd.stop("SIGKILL");
    await told;
  });

  test("a download tells its percentage and can be cancelled, also by another client", async () => {
    await using source = await slowSource();
    const creating = await engine.instances.create({ name: "c", source: source.asked });
    const percentages: number[] = [];
    const cancel = async () => {
      await using other = await lxd.connect();
      const [found] = await other.operations.changing("c");
      assert.equal(found?.id, creating.id);
      await found.cancel();
    };
    let cancelling: Promise<void> | undefined;
    const ended = (async () => {
      for await (const update of creating.follow()) {
        const percent = downloadProgress(update) ?? 0;
        percentages.push(percent);
        if (percent > 0) source.server.stall();
        if (percent > 0 && update.may_cancel) cancelling ??= cancel();
      }
    })();
    await assert.rejects(ended, withCode("cancelled"));
    await cancelling;
    assert.ok(percentages.some((percent) => percent > 0 && percent < 100));
    await assert.rejects(engine.instances.get("c"), withCode("not-found"));
  });

  test("disposing ends what is under way here, and nothing can be asked any more", async () => {
    await uploadTinyImage(engine);
    await using source = await slowSource();
    const client = await lxd.connect();
    using subscription = client.events.subscribe({ types: ["operation"] }, () => undefined);
    await subscription.ready;
    const creating = await client.instances.create({ name: "c", source: source.asked });
    const told = assert.rejects(creating.wait(), withCode("unavailable"));
    await source.server.begun;
    await client[Symbol.asyncDispose]();
    await told;
    await assert.rejects(client.instances.list(), withCode("unavailable"));
    await assert.rejects(
      client.events.subscribe({ types: ["operation"] }, () => undefined).ready,
      TremplinError,
    );
  });

  test("a program that disposed its client ends", async () => {
    await uploadTinyImage(engine);
    await (await create("c")).wait();
    await (await engine.instances.setState("c", { action: "start" })).wait();
    const script = `
      import { silentLogger } from "./src/base/logger.ts";
      import { Engine } from "./src/engine/engine.ts";
      const engine = await Engine.connect({ kind: "unix", path: process.argv[1] }, { log: silentLogger });
      const subscription = engine.events.subscribe({ types: ["operation"] }, () => undefined);
      await subscription.ready;
      await engine.execCapture("c", ["true"]);
      const files = await engine.fileSession("c");
      await files.read("/etc/passwd", 100_000);
      files[Symbol.dispose]();
      await engine.exec("c", { command: ["sleep", "1000"], stdin: process.stdin });
      await engine.instances.log("c", "lxc.log");
      await engine[Symbol.asyncDispose]();
      console.log("disposed");`;
    const args = ["--input-type=module-typescript", "--eval", script, lxd.address.path];
    const { stdout } = await execute(process.execPath, args, { cwd: repository, timeout: 30_000 });
    assert.equal(stdout, "disposed\n");
  });
});

/** An image server that takes about two seconds to send an image. */
async function slowSource() {
  await using image = await tinyImage({ "etc/from": "an image server" });
  const server = await Simplestreams.open({
    alias: "tiny",
    metadataPath: image.metadata,
    rootfsPath: image.rootfs,
  });
  server.bytesPerSecond = 500_000;
  const asked = {
    type: "image",
    mode: "pull",
    protocol: "simplestreams",
    server: server.url,
    alias: "tiny",
  } as const;
  return { server, asked, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

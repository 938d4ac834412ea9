import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { silentLogger } from "../../src/base/logger.ts";
import { Engine, type EngineAddress } from "../../src/engine/engine.ts";
import { isReady } from "../../src/engine/http/is-ready.ts";
import { type PrivateLxd, privateLxd } from "../support/private-lxd.ts";
import { certificate, freePort, openRemotely } from "../support/remote-lxd.ts";
import { uploadTinyImage } from "../support/tiny-image.ts";
import { withCode } from "../support/with-code.ts";

describe("an engine over HTTPS", () => {
  let lxd: PrivateLxd;
  let remote: EngineAddress & { kind: "https" };
  const connect = (address: EngineAddress) => Engine.connect(address, { log: silentLogger });

  before(async () => {
    lxd = await privateLxd();
    remote = await openRemotely(lxd);
  });
  after(() => lxd?.[Symbol.asyncDispose]());

  test("all that works over its socket works for a trusted client", async () => {
    await using engine = await connect(remote);
    assert.equal(engine.info.kind, lxd.kind);
    assert.equal(await isReady(remote), true);
    const fingerprint = await uploadTinyImage(engine);
    const creating = await engine.instances.create({ name: "c", source: { type: "image", fingerprint } });
    const following = creating.follow();
    while (!(await following.next()).done);
    await (await engine.instances.setState("c", { action: "start" })).wait();
    assert.equal((await engine.execCapture("c", ["echo", "hello"])).stdout, "hello\n");
    using files = await engine.fileSession("c");
    await files.create("/root/note", Buffer.from("text"), { uid: 0, gid: 0, mode: 0o644 });
    assert.equal(String(await files.read("/root/note", 100)), "text");
    await assert.rejects(engine.instances.get("nope"), withCode("not-found"));
  });

  test("a client that is not trusted is told so, and one that does not trust the engine too", async () => {
    const stranger = await certificate(lxd.folder, "stranger");
    await assert.rejects(connect({ ...remote, ...stranger }), /does not trust this client/);
    const { ca: _ca, ...trustless } = remote;
    await assert.rejects(connect(trustless), withCode("failed"));
    assert.equal(await isReady(trustless), false);
    await assert.rejects(connect({ ...remote, port: await freePort() }), withCode("unavailable"));
  });
});

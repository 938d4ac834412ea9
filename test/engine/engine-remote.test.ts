import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { silentLogger } from "../../src/base/logger.ts";
import { Engine, type EngineAddress } from "../../src/engine/engine.ts";
import { isReady } from "../../src/engine/is-ready.ts";
import { execute } from "../support/belongings.ts";
import { type PrivateLxd, privateLxd } from "../support/private-lxd.ts";
import { uploadTinyImage } from "../support/tiny-image.ts";
import { withCode } from "../support/with-code.ts";

describe("an engine over HTTPS", () => {
  let lxd: PrivateLxd;
  let remote: EngineAddress & { kind: "https" };
  const connect = (address: EngineAddress) => Engine.connect(address, { log: silentLogger });

  before(async () => {
    lxd = await privateLxd();
    const port = await freePort();
    await using local = await lxd.connect();
    const address = `127.0.0.1:${port}`;
    await local.server.updateConfig((config) => ({ ...config, "core.https_address": address }));
    const { cert, key } = await certificate(lxd.folder, "trusted");
    const body = {
      type: "client",
      name: "test",
      certificate: new X509Certificate(cert).raw.toString("base64"),
    };
    lxd.cliSync("query", "--request", "POST", "/1.0/certificates", "--data", JSON.stringify(body));
    const ca = await readFile(join(lxd.folder, "server.crt"), "utf8");
    remote = { kind: "https", host: "127.0.0.1", port, cert, key, ca };
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

async function certificate(folder: string, name: string): Promise<{ cert: string; key: string }> {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await execute("openssl", ["req", "-x509", ...curve, "-subj", `/CN=${name}`, "-keyout", key, "-out", cert]);
  return { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

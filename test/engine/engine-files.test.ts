import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import type { Engine } from "../../src/engine/engine.ts";
import { type PrivateLxd, privateLxd } from "../support/private-lxd.ts";
import { uploadTinyImage } from "../support/tiny-image.ts";
import { withCode } from "../support/with-code.ts";

describe("the files of a container", () => {
  let lxd: PrivateLxd;
  let engine: Engine;

  before(async () => {
    lxd = await privateLxd();
    engine = await lxd.connect();
    const fingerprint = await uploadTinyImage(engine);
    const source = { type: "image", fingerprint } as const;
    await (await engine.instances.create({ name: "c", source })).wait();
    await (await engine.instances.setState("c", { action: "start" })).wait();
  });
  after(async () => {
    await engine?.[Symbol.asyncDispose]();
    await lxd?.[Symbol.asyncDispose]();
  });

  const sh = (script: string) => engine.execCapture("c", ["sh", "-c", script]);

  test("files are written, read, listed and deleted, with owner and mode", async () => {
    const { files } = engine;
    await files.mkdir("c", "/root/d", { uid: 1000, gid: 1001, mode: 0o750 });
    await files.mkdir("c", "/root/d");
    assert.deepEqual(await files.stat("c", "/root/d"), {
      type: "directory",
      uid: 1000,
      gid: 1001,
      mode: 0o750,
    });
    await files.put("c", "/root/d/f", "text", { uid: 3, gid: 4, mode: 0o600 });
    assert.deepEqual(await files.get("c", "/root/d/f"), {
      type: "file",
      uid: 3,
      gid: 4,
      mode: 0o600,
      content: Buffer.from("text"),
    });
    await files.symlink("c", "/root/d/l", "f");
    assert.equal(await files.readlink("c", "/root/d/l"), "/root/d/f");
    assert.equal((await files.stat("c", "/root/d/l")).type, "symlink");
    assert.deepEqual((await files.list("c", "/root/d")).sort(), ["f", "l"]);
    await files.put(
      "c",
      "/root/d/big",
      Readable.from([Buffer.alloc(3_000_000, 1), Buffer.alloc(3_000_000, 2)]),
    );
    const { content } = await files.open("c", "/root/d/big");
    assert.equal(
      (await content.toArray()).reduce((sum, chunk) => sum + chunk.length, 0),
      6_000_000,
    );
    await assert.rejects(files.get("c", "/root/d"), /is a directory, not a file/);
    await assert.rejects(files.get("c", "/root/d/l"), /is a symlink, not a file/);
    await assert.rejects(files.list("c", "/root/d/f"), /is a file, not a directory/);
    await assert.rejects(files.readlink("c", "/root/d/f"), /is a file, not a symbolic link/);
    await assert.rejects(files.get("c", "/root/nope"), withCode("not-found"));
    await assert.rejects(files.stat("c", "/root/nope"), withCode("not-found"));
    await assert.rejects(files.list("c", "/root/nope"), withCode("not-found"));
    await assert.rejects(files.put("c", "/root/nope/f", ""), withCode("not-found"));
    await assert.rejects(files.delete("c", "/root/d"), withCode("failed"));
    for (const name of ["f", "l", "big"]) await files.delete("c", `/root/d/${name}`);
    await files.delete("c", "/root/d");
    await assert.rejects(files.delete("c", "/root/d"), withCode("not-found"));
  });

  test("a link out of the container leads nowhere but into it", async () => {
    await sh("ln -s ../../../../../../../../etc /root/out");
    await engine.files.put("c", "/root/out/planted", "inside");
    assert.equal((await sh("cat /etc/planted")).stdout, "inside");
    await assert.rejects(stat("/etc/planted"), /ENOENT/);
  });

  test("a huge file is refused at the bound", async () => {
    await sh("truncate -s 2G /root/sparse");
    const started = performance.now();
    await assert.rejects(
      engine.files.get("c", "/root/sparse", { maxBytes: 1_000_000 }),
      /larger than 1000000 bytes/,
    );
    assert.ok(performance.now() - started < 5_000);
    assert.equal((await engine.files.stat("c", "/root/sparse")).type, "file");
  });

  for (const [name, access] of [
    ["read", (path: string) => engine.files.get("c", path, { timeLimit: 500 })],
    ["opened", (path: string) => engine.files.open("c", path, { timeLimit: 500 })],
    ["listed", (path: string) => engine.files.list("c", path, { signal: AbortSignal.timeout(500) })],
    [
      "read by somebody who gives up",
      (path: string) => engine.files.get("c", path, { signal: AbortSignal.timeout(500) }),
    ],
  ] as const) {
    test(`a planted pipe that is ${name} holds nothing up for long`, async () => {
      await sh("mkfifo /root/pipe");
      await assert.rejects(access("/root/pipe"), /it may be a pipe|TimeoutError/);
      await nothingHangs();
    });
  }

  test("a planted pipe with somebody at its other end is no trouble", async () => {
    await sh("mkfifo /root/pipe");
    await engine.files.put("c", "/root/pipe", "swallowed", { timeLimit: 500 });
    await sh("(exec </dev/null >/dev/null 2>&1; { echo x; sleep 1000; } >/root/pipe) &");
    // To the engine its size is 0.
    assert.equal((await engine.files.get("c", "/root/pipe", { timeLimit: 500 })).content.length, 0);
    await nothingHangs();
  });

  /** What would hang otherwise: other files, and stopping and starting the container. */
  const nothingHangs = async () => {
    assert.match(String((await engine.files.get("c", "/etc/passwd")).content), /^root:/);
    const signal = AbortSignal.timeout(20_000);
    await (await engine.instances.setState("c", { action: "stop", force: true })).wait({ signal });
    await (await engine.instances.setState("c", { action: "start" })).wait({ signal });
    await engine.files.delete("c", "/root/pipe");
  };
});

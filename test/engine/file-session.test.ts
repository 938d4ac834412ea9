import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { Engine } from "../../src/engine/engine.ts";
import { type PrivateLxd, privateLxd } from "../support/private-lxd.ts";
import { uploadTinyImage } from "../support/tiny-image.ts";

const mebibyte = 1024 * 1024;
const ofRoot = { uid: 0, gid: 0, mode: 0o600 };

describe("a session on the files of a container", () => {
  let lxd: PrivateLxd;
  let engine: Engine;

  before(async () => {
    lxd = await privateLxd();
    engine = await lxd.connect();
    const source = { type: "image", fingerprint: await uploadTinyImage(engine) } as const;
    await Promise.all(
      ["running", "stopped"].map(async (name) => (await engine.instances.create({ name, source })).wait()),
    );
    await (await engine.instances.setState("running", { action: "start" })).wait();
  });
  after(async () => {
    await engine?.[Symbol.asyncDispose]();
    await lxd?.[Symbol.asyncDispose]();
  });

  const sh = (script: string) => engine.execCapture("running", ["sh", "-c", script]);

  test("after a rename the files are served and the instance starts: nothing waits for the last session's helper", async () => {
    await (await engine.instances.copy("stopped", "before")).wait();
    const mode = async (name: string): Promise<number> => {
      using files = await engine.fileSession(name, { timeoutMs: 8_000 });
      return (await files.lstat("/etc/passwd")).mode;
    };
    const known = await mode("before");
    await (await engine.instances.rename("before", "after")).wait();
    assert.equal(await mode("after"), known);
    await (await engine.instances.setState("after", { action: "start" })).wait();
  });

  for (const name of ["running", "stopped"]) {
    test(`${name}: files are made, told apart, replaced and given away`, async () => {
      using files = await engine.fileSession(name);
      const content = Buffer.alloc(100_000, "0123456789");
      await files.create("/root/new", content, { uid: 1000, gid: 42, mode: 0o640 });
      const { modified, ...info } = await files.lstat("/root/new");
      assert.ok(modified > 1_600_000_000);
      assert.deepEqual(info, {
        type: "file",
        size: 100_000,
        uid: 1000,
        gid: 42,
        mode: 0o640,
      });
      assert.ok(content.equals(await files.read("/root/new", mebibyte)));
      await assert.rejects(files.create("/root/new", content, ofRoot), /file exists/);
      await files.create("/root/old", Buffer.from("old"), ofRoot);
      await files.rename("/root/new", "/root/old");
      assert.equal((await files.read("/root/old", mebibyte)).length, 100_000);
      await files.mkdir("/root/folder", { uid: 7, gid: 8, mode: 0o750 });
      await files.setOwner("/root/folder", { uid: 9, gid: 10, mode: 0o700 });
      await files.symlink("/root/folder/link", "../old");
      assert.equal(await files.readlink("/root/folder/link"), "../old");
      assert.equal((await files.stat("/root/folder/link")).size, 100_000);
      assert.equal((await files.read("/root/folder/link", mebibyte)).length, 100_000);
      const { uid, gid, mode, type } = await files.lstat("/root/folder");
      assert.deepEqual({ uid, gid, mode, type }, { uid: 9, gid: 10, mode: 0o700, type: "directory" });
      await files.remove("/root/folder/link");
      await files.rmdir("/root/folder");
      await files.remove("/root/old");
      await assert.rejects(files.lstat("/root/old"), { code: "not-found" });
      await assert.rejects(files.read("/root/old", mebibyte), { code: "not-found" });
    });
  }

  test("names are bytes, and a directory has a bound", async () => {
    await sh(
      "mkdir /root/names; cd /root/names; touch 'two\nlines' $(printf '\\377'); ln -s x link; mkfifo pipe",
    );
    using files = await engine.fileSession("running");
    const entries = (await files.list("/root/names", 4)).map(({ name, type }) => [name, type]);
    assert.deepEqual(entries.sort(), [
      ["link", "symlink"],
      ["pipe", "special"],
      ["two\nlines", "file"],
      ["\u00ff", "file"],
    ]);
    assert.equal((await files.lstat("/root/names/\u00ff")).type, "file");
    await assert.rejects(files.list("/root/names", 3), /holds more than 3 files/);
    await assert.rejects(files.list("/root/nope", 3), { code: "not-found" });
  });

  test("what is no plain file is never opened, and a huge one never read", async () => {
    await sh("mkfifo /root/pipe; truncate -s 2G /root/sparse; ln -s pipe /root/link");
    using files = await engine.fileSession("running", { timeoutMs: 2_000 });
    await assert.rejects(files.read("/root/pipe", mebibyte), /it is a special, not a plain file/);
    await assert.rejects(files.read("/root/link", mebibyte), /it is a special/);
    await assert.rejects(files.read("/dev/zero", mebibyte), /it is a special/);
    await assert.rejects(files.read("/root/sparse", mebibyte), /larger than 1048576 bytes/);
    await assert.rejects(files.read("/proc/kmsg", mebibyte), /kmsg/);
  });

  test("a link out of the container leads nowhere but into it", async () => {
    await sh("ln -s ../../../../../../../../etc /root/out");
    using files = await engine.fileSession("running");
    await files.create("/root/out/planted", Buffer.from("inside"), { ...ofRoot, mode: 0o644 });
    assert.equal((await sh("cat /etc/planted")).stdout, "inside");
    await assert.rejects(stat("/etc/planted"), /ENOENT/);
  });

  test("a session that takes too long is over, and one for nobody is never begun", async () => {
    await assert.rejects(engine.fileSession("nobody"), { code: "not-found" });
    await assert.rejects(engine.fileSession("stopped", { timeoutMs: 1 }), /within 0.001 s/);
    const abort = new AbortController();
    using files = await engine.fileSession("running", { signal: abort.signal });
    const reading = files.lstat("/etc");
    abort.abort(new Error("given up"));
    await assert.rejects(reading, /given up/);
    await assert.rejects(files.lstat("/etc"), /given up/);
    using again = await engine.fileSession("running");
    assert.equal((await again.lstat("/etc")).type, "directory");
  });
});

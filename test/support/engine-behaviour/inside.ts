import assert from "node:assert/strict";
import { test } from "node:test";
import { TremplinError } from "../../../src/base/tremplin-error.ts";
import type { Bench } from "../engine-behaviour.ts";
import type { Execute } from "../memory-engine/exec.ts";
import { withCode } from "../with-code.ts";

const prints = ["sh", "-c", "echo out; echo err >&2; exit 3"];
const lasts = ["sleep", "1000"];

/** These programs, for an engine that has none. */
export const executePrograms: Execute = async ({ command, killed }) => {
  if (command.join(" ") === prints.join(" ")) return { exitCode: 3, stdout: "out\n", stderr: "err\n" };
  if (command.join(" ") === lasts.join(" ")) {
    await new Promise((resolve) => killed.addEventListener("abort", resolve));
    return {};
  }
  return { exitCode: 127 };
};

/** Programs and files in a container. */
export function insideBehaviour(bench: () => Bench): void {
  test("a program gives its output and its exit code; one that is not there 127", async () => {
    const { engine, hands } = bench();
    await hands.create("runs");
    await hands.act("runs", "start");
    const { exitCode, stdout, stderr } = await engine.execCapture("runs", prints);
    assert.deepEqual([exitCode, stdout, stderr], [3, "out\n", "err\n"]);
    assert.equal((await engine.execCapture("runs", ["no-such-program"])).exitCode, 127);
    assert.deepEqual(await engine.operations.changing("runs"), []);
    await hands.act("runs", "stop");
    await assert.rejects(engine.execCapture("runs", prints), withCode("failed"));
    await assert.rejects(engine.execCapture("nobody", prints), withCode("not-found"));
    await hands.delete("runs");
  });

  test("a program is killed when its signal aborts", async () => {
    const { engine, hands } = bench();
    await hands.create("endless");
    await hands.act("endless", "start");
    const aborting = new AbortController();
    const running = engine.execCapture("endless", lasts, { signal: aborting.signal });
    const reason = new TremplinError("cancelled", "enough");
    aborting.abort(reason);
    await assert.rejects(running, reason);
    await hands.act("endless", "stop");
    await hands.delete("endless");
  });

  test("files are made, read, listed, renamed and removed, whether the container runs or not", async () => {
    const { engine, hands } = bench();
    await hands.create("filed");
    for (const action of ["start", "stop"] as const) {
      await hands.act("filed", action);
      using files = await engine.fileSession("filed");
      await files.mkdir("/root/folder", { uid: 5, gid: 6, mode: 0o750 });
      await files.create("/root/folder/a", Buffer.from("text"), { uid: 7, gid: 8, mode: 0o600 });
      await files.create("/root/folder/b", Buffer.from("other"), { uid: 0, gid: 0, mode: 0o644 });
      await assert.rejects(files.read("/root/folder/c", 10), withCode("not-found"));
      const { type, uid, gid, mode, size } = await files.stat("/root/folder/a");
      assert.deepEqual([type, uid, gid, mode, size], ["file", 7, 8, 0o600, 4]);
      await files.symlink("/root/folder/link", "a");
      assert.equal(await files.readlink("/root/folder/link"), "a");
      assert.equal((await files.lstat("/root/folder/link")).type, "symlink");
      assert.equal(String(await files.read("/root/folder/link", 10)), "text");
      await files.rename("/root/folder/a", "/root/folder/b");
      assert.equal(String(await files.read("/root/folder/b", 10)), "text");
      const names = (await files.list("/root/folder", 10)).map(({ name }) => name).sort();
      assert.deepEqual(names, ["b", "link"]);
      for (const name of names) await files.remove(`/root/folder/${name}`);
      await files.rmdir("/root/folder");
      await assert.rejects(files.stat("/root/folder"), withCode("not-found"));
    }
    await assert.rejects(engine.fileSession("nobody"), withCode("not-found"));
    await hands.delete("filed");
  });
}

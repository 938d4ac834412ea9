import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { TremplinError } from "../../src/base/tremplin-error.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { CaptureOptions } from "../../src/engine/exec/exec-capture.ts";
import { type PrivateLxd, privateLxd } from "../support/private-lxd.ts";
import { uploadTinyImage } from "../support/tiny-image.ts";

describe("a command in a container", () => {
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

  const sh = (script: string, options?: CaptureOptions) =>
    engine.execCapture("c", ["sh", "-c", script], options);

  test("a command gets its input, environment, user and folder, and gives output, errors and exit code", async () => {
    const stdin = Readable.from([Buffer.from("one\n"), Buffer.from("two\n")]);
    const options = { stdin, environment: { MARK: "it's" }, user: 1000, group: 1001, cwd: "/tmp" };
    const script = 'cat; echo "$MARK"; id -u; id -g; pwd; echo bad >&2; exit 7';
    assert.deepEqual(await sh(script, options), {
      exitCode: 7,
      stdout: "one\ntwo\nit's\n1000\n1001\n/tmp\n",
      stderr: "bad\n",
      truncated: false,
    });
    assert.equal((await sh("cat")).stdout, "");
    assert.equal((await engine.execCapture("c", ["/no/such/program"])).exitCode, 127);
    assert.equal((await sh("kill -9 $$")).exitCode, 137);
  });

  test("captured output is cut at its bound, and the command never notices", async () => {
    const captured = await sh("head -c 3000000 /dev/zero; echo done >&2", { maxBytes: 1000 });
    assert.equal(captured.stdout.length, 1000);
    assert.equal(captured.stderr, "done\n");
    assert.equal(captured.exitCode, 0);
    assert.equal(captured.truncated, true);
  });

  test("20 MB reach a slow reader whole, while the command is held back", async () => {
    const script =
      "for i in 1 2 3 4 5 6 7 8 9 10; do head -c 2000000 /dev/zero; echo $i > /tmp/written; done";
    await using session = await engine.exec("c", { command: ["sh", "-c", script] });
    session.stderr.resume();
    await once(session.stdout, "readable");
    // Nobody reads: the command stands still somewhere before its end.
    let written = "";
    for (let same = 0; same < 5; ) {
      using files = await engine.fileSession("c");
      const now = String(await files.read("/tmp/written", 100).catch(() => ""));
      same = now === written ? same + 1 : 0;
      written = now;
      await setTimeout(100);
    }
    assert.ok(Number(written) < 10, `wrote ${written} of 10 parts to nobody`);
    let bytes = 0;
    for await (const chunk of session.stdout) {
      bytes += chunk.length;
      if (bytes % 20 === 0) await setTimeout(1);
    }
    assert.equal(bytes, 20_000_000);
    assert.equal(await session.exitCode, 0);
  });

  test("an aborted command is killed, and its caller hears the reason at once", async () => {
    const aborting = new AbortController();
    const session = await engine.exec("c", { command: ["sleep", "987"], signal: aborting.signal });
    const reason = new TremplinError("cancelled", "enough");
    const reading = session.stdout.toArray();
    aborting.abort(reason);
    await assert.rejects(session.exitCode, reason);
    await assert.rejects(reading, reason);
    assert.equal(
      (await sh("while pgrep -f '^sleep 987'; do sleep 0.05; done; echo gone")).stdout.split("\n").at(-2),
      "gone",
    );
  });

  test("a command is signalled, and killed when nobody is interested any more", async () => {
    const session = await engine.exec("c", {
      command: ["sh", "-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done"],
    });
    assert.equal(String((await once(session.stdout, "data"))[0]), "up\n");
    session.kill(15);
    assert.equal(await session.exitCode, 5);
    {
      await using left = await engine.exec("c", { command: ["sleep", "986"] });
      assert.ok(left.stdout);
    }
    assert.match((await sh("while pgrep -f '^sleep 986'; do sleep 0.05; done; echo gone")).stdout, /gone/);
  });

  test("a terminal has its size, is resized, echoes, and ends with its command", async () => {
    const input = new PassThrough();
    // A new size and input come by different sockets: either may be there first.
    const resized = 'until [ "$(stty size)" = "20 90" ]; do sleep 0.05; done; echo resized';
    const script = `stty size; read line; ${resized}; echo got $line; read line; exit 3`;
    const session = await engine.exec("c", {
      command: ["sh", "-c", script],
      terminal: { width: 100, height: 30 },
      stdin: input,
    });
    let screen = "";
    session.stdout.on("data", (chunk) => {
      screen += chunk;
    });
    const closed = once(session.stdout, "close").then(() => assert.fail(`the terminal ended: ${screen}`));
    closed.catch(() => undefined);
    const shows = async (text: string) => {
      while (!screen.includes(text)) await Promise.race([once(session.stdout, "data"), closed]);
    };
    await shows("30 100");
    session.resize({ width: 90, height: 20 });
    input.write("hello\n");
    await shows("resized");
    await shows("got hello");
    input.write("bye\n");
    assert.equal(await session.exitCode, 3);
  });
});

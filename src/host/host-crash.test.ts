import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MemoryGuest } from "../../test/support/memory-guest.ts";
import { systemClock } from "../base/async/clock.ts";
import { EventLog } from "./event-log.ts";
import { runHost } from "./main.ts";

const NOTICES = 150;
const LANES = 5;
const folder = process.argv[2];

const socket = (at: string, name: string) => ({ kind: "unix" as const, path: join(at, `${name}.sock`) });

if (folder) {
  // This file again, as the host that is killed.
  const guests = [{ name: "vm", address: socket(folder, "vm") }];
  await runHost({ listen: [socket(folder, "host")], guests, state: join(folder, "log"), logLevel: "silent" });
} else {
  test("a host killed again and again loses no notice and counts none twice", async (t) => {
    const at = await mkdtemp(join(tmpdir(), "crash-"));
    const guest = await MemoryGuest.open({ address: socket(at, "vm"), host: socket(at, "host") });
    let host: ChildProcess = fork(import.meta.filename, [at], { stdio: "ignore" });
    t.after(async () => {
      host.kill("SIGKILL");
      await guest[Symbol.asyncDispose]();
      await rm(at, { recursive: true });
    });
    let told = 0;
    const lane = async (name: number) => {
      for (let count = 0; count < NOTICES / LANES; count++) {
        await guest.notify("updateStopStatus", {
          containerName: `${name}`,
          failureReason: `${count}`,
          status: 2,
        });
        told++;
      }
    };
    const telling = Promise.all(Array.from({ length: LANES }, (_, name) => lane(name)));
    for (const point of [10, 40, 41, 90, 130]) {
      while (told < point) await new Promise(setImmediate);
      host.kill("SIGKILL");
      await once(host, "exit");
      host = fork(import.meta.filename, [at], { stdio: "ignore" });
    }
    await telling;
    host.kill("SIGTERM");
    assert.deepEqual(await once(host, "exit"), [0, null]);

    await using log = await EventLog.open({ folder: join(at, "log"), clock: systemClock });
    const seen = new Map<string, string[]>();
    let sequence = 0n;
    for await (const event of log.read(0n, false, new AbortController().signal)) {
      assert.equal(event.sequence, ++sequence);
      assert.ok(event.notice.case === "stop");
      const { containerName, failureReason } = event.notice.value;
      seen.set(containerName, [...(seen.get(containerName) ?? []), failureReason]);
    }
    const all = Array.from({ length: NOTICES / LANES }, (_, count) => `${count}`);
    assert.deepEqual(
      Object.fromEntries(seen),
      Object.fromEntries(Array.from({ length: LANES }, (_, name) => [name, all])),
    );
  });
}

import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MemoryGuest } from "../../test/support/memory-guest.ts";
import { systemClock } from "../base/async/clock.ts";
import { silentLogger } from "../base/logger.ts";
import { runHost } from "./main.ts";
import { EventStore } from "./store/event-store.ts";

const NOTICES = 150;
const CONTAINERS = 5;
const folder = process.argv[2] === "as-host" ? process.argv[3] : undefined;

const socket = (at: string, name: string) => ({ kind: "unix" as const, path: join(at, `${name}.sock`) });

if (folder) {
  // A child process runs this file as the host.
  const guests = [{ name: "vm", address: socket(folder, "vm") }];
  const listeners = [{ address: socket(folder, "listener") }];
  const listen = [socket(folder, "host")];
  await runHost({ listen, listeners, guests, state: join(folder, "log"), logLevel: "silent" });
} else {
  test("a host that is killed repeatedly loses no notice and records none twice", async (t) => {
    const at = await mkdtemp(join(tmpdir(), "crash-"));
    const guest = await MemoryGuest.open({ address: socket(at, "vm"), host: socket(at, "listener") });
    let host: ChildProcess = fork(import.meta.filename, ["as-host", at], { stdio: "ignore", execArgv: [] });
    t.after(async () => {
      host.kill("SIGKILL");
      await guest[Symbol.asyncDispose]();
      await rm(at, { recursive: true });
    });
    let sent = 0;
    const sendFor = async (name: number) => {
      for (let count = 0; count < NOTICES / CONTAINERS; count++) {
        await guest.notify("updateStopStatus", {
          containerName: `${name}`,
          failureReason: `${count}`,
          status: 2,
        });
        sent++;
      }
    };
    const sending = Promise.all(Array.from({ length: CONTAINERS }, (_, name) => sendFor(name)));
    for (const point of [10, 40, 41, 90, 130]) {
      while (sent < point) await new Promise(setImmediate);
      host.kill("SIGKILL");
      await once(host, "exit");
      host = fork(import.meta.filename, ["as-host", at], { stdio: "ignore", execArgv: [] });
    }
    await sending;
    host.kill("SIGTERM");
    assert.deepEqual(await once(host, "exit"), [0, null]);

    await using log = await EventStore.open({
      folder: join(at, "log"),
      clock: systemClock,
      log: silentLogger,
    });
    const seen = new Map<string, string[]>();
    let sequence = 0n;
    for await (const event of log.read({
      after: 0n,
      follow: false,
      signal: new AbortController().signal,
      guest: undefined,
    })) {
      assert.equal(event.sequence, ++sequence);
      assert.ok(event.notice.case === "stop");
      const { containerName, failureReason } = event.notice.value;
      seen.set(containerName, [...(seen.get(containerName) ?? []), failureReason]);
    }
    const all = Array.from({ length: NOTICES / CONTAINERS }, (_, count) => `${count}`);
    assert.deepEqual(
      Object.fromEntries(seen),
      Object.fromEntries(Array.from({ length: CONTAINERS }, (_, name) => [name, all])),
    );
  });
}

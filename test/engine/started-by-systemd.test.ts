import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { Host } from "../../src/contract/tremplin/v1/host_pb.js";
import { dial } from "../../src/transport/client.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { listeningSocket, NotifyReceiver } from "../support/notify-receiver.ts";
import { repository } from "../support/repository.ts";

/** The host as systemd starts it: with a socket that listens already, an address to notify, and a watchdog. */
describe("the host, started as a service", () => {
  let kept: KeptFolder;
  let manager: NotifyReceiver;
  let socket: ReturnType<typeof listeningSocket>;
  let path: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    kept = await keptFolder();
    manager = new NotifyReceiver(join(kept.path, "notify"));
    path = join(kept.path, "host.sock");
    socket = listeningSocket(path);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill("SIGKILL");
      child.kill("SIGCONT");
    }
    await manager?.[Symbol.asyncDispose]();
    socket?.[Symbol.dispose]();
    await kept?.[Symbol.asyncDispose]();
  });

  function start(listen: string): { child: ChildProcess; exited: Promise<unknown[]> } {
    // Only the new process knows its own id.
    const script = 'export LISTEN_PID=$$; exec "$@"';
    const host = [
      ...[join(repository, "bin/tremplin"), "host", "--listen", listen],
      ...["--listener", `unix:${kept.path}/listener.sock`, "--guest", `local=unix:${kept.path}/guest.sock`],
      ...["--state", join(kept.path, "state")],
    ];
    const child = spawn("sh", ["-c", script, "sh", ...host], {
      stdio: ["ignore", "inherit", "inherit", socket.fd],
      env: {
        ...process.env,
        LISTEN_FDS: "1",
        NOTIFY_SOCKET: join(kept.path, "notify"),
        WATCHDOG_USEC: "4000000",
      },
    });
    children.push(child);
    return { child, exited: once(child, "exit") };
  }

  test("it serves the socket, says that it is ready and works, and that it ends; the socket stays", async () => {
    const { child, exited } = start(`unix:${path}`);
    using connection = dial({ kind: "unix", path });
    const { guests } = await createClient(Host, connection.transport).listGuests({});
    assert.deepEqual(
      guests.map(({ name }) => name),
      ["local"],
    );
    await manager.received("READY=1");
    await manager.received("WATCHDOG=1", 3);
    child.kill("SIGTERM");
    await manager.received("STOPPING=1");
    assert.deepEqual(await exited, [0, null]);
    await access(path);
  });

  test("a socket that no --listen names ends it with a sentence", async () => {
    const { exited } = start(`unix:${kept.path}/other.sock`);
    assert.deepEqual(await exited, [2, null]);
  });
});

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { callFromPython } from "../support/call-from-python.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { repository } from "../support/repository.ts";

const authorities = [
  "run%2Ftremplin%2Fguest.sock",
  "vsock:3:8890",
  "[::1",
  "host:99999",
  "%",
  "999.999.999.999",
];

/** Calls with each authority and with C core's own, and of what is not there. */
async function provoke(socket: string, path: string): Promise<void> {
  const calls = [{ path }, ...authorities.map((authority) => ({ path, authority }))];
  const unknown = [{ path: `${path}Nope` }, { path: "/no.Such/Rpc", authority: "%" }];
  const answers = await callFromPython(`unix:${socket}`, [...calls, ...unknown, { path }]);
  assert.deepEqual(answers, [
    ...calls.map(() => "OK"),
    ...unknown.map(() => "UNIMPLEMENTED: there is no such rpc here"),
    "OK",
  ]);
}

/** The built program `bin/tremplin host` in front of a daemon. */
async function startHost({ folder }: TestDaemon): Promise<AsyncDisposable & { readonly socket: string }> {
  const socket = join(folder, "front.sock");
  const words = [
    "--listen",
    `unix:${socket}`,
    "--listener",
    `unix:${join(folder, "front-listener.sock")}`,
    "--guest",
    `vm=unix:${folder}/guest.sock`,
    "--state",
    join(folder, "front"),
  ];
  const host = spawn(join(repository, "bin/tremplin"), ["host", ...words, "--log-level", "warn"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const closed = once(host, "close");
  return {
    socket,
    async [Symbol.asyncDispose]() {
      host.kill();
      await closed;
    },
  };
}

test("the daemon and the host serve gRPC's C core with any authority", async () => {
  await using daemon = await startDaemon();
  const { pid } = daemon;
  await provoke(join(daemon.folder, "guest.sock"), "/vm_tools.tremplin.Tremplin/GetDebugInfo");
  await using host = await startHost(daemon);
  await eventually("the host", async () => {
    const [answer] = await callFromPython(`unix:${host.socket}`, [{ path: "/tremplin.v1.Host/ListGuests" }]);
    return answer === "OK" || undefined;
  });
  await provoke(host.socket, "/tremplin.v1.Host/ListGuests");
  await provoke(host.socket, "/vm_tools.tremplin.Tremplin/GetDebugInfo");
  assert.ok(daemon.isRunning);
  assert.equal(daemon.pid, pid);
});

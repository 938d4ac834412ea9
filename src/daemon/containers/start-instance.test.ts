import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { adviceFor, startErrors, startInstance } from "./start-instance.ts";

const FORKSTART =
  "the engine failed at Starting instance: Failed to run: /usr/libexec/lxd/lxd forkstart web /state/containers /state/lxc.conf: exit status 1";

/** Lines as LXD 5.0 and Incus 6.0 write them. */
const CGROUP_LOG = `lxc web 20260503101112.131 WARN     conf - ../src/lxc/conf.c:lxc_map_ids:3592 - newuidmap binary is missing
lxc web 20260503101112.140 ERROR    cgfsng - ../src/lxc/cgroups/cgfsng.c:cgroup_hierarchies:3100 - Read-only file system - Failed to create cgroup
lxc web 20260503101112.141 ERROR    start - ../src/lxc/start.c:lxc_init:881 - Failed to initialize cgroup driver
lxc web 20260503101112.141 ERROR    start - ../src/lxc/start.c:__lxc_start:2035 - Failed to initialize container "web"
lxc web 20260503101117.200 ERROR    lxccontainer - ../src/lxc/lxccontainer.c:wait_on_daemonized_start:878 - Received container state "ABORTING" instead of "RUNNING"
lxc 20260503101117.300 WARN     commands - ../src/lxc/commands.c:lxc_cmd_rsp_recv_fds:128 - Connection reset by peer - Failed to receive response
`;

function engineThat(message: string, log: () => Promise<Readable>): Engine {
  const failing = { wait: () => Promise.reject(new TremplinError("failed", message)) };
  return { instances: { setState: async () => failing, log } } as unknown as Engine;
}

test("a start that fails says the cause from the container's log, and what helps", async () => {
  const engine = engineThat(FORKSTART, async () => Readable.from([Buffer.from(CGROUP_LOG)]));
  await assert.rejects(startInstance(engine, "web"), {
    code: "failed",
    message:
      "web does not start: Read-only file system - Failed to create cgroup; Failed to initialize cgroup driver " +
      "(from its log at the engine); cgroup2 must be mounted at /sys/fs/cgroup of this machine and writable (mount -t cgroup2 none /sys/fs/cgroup)",
  });
});

test("where the log cannot be read or has no error, the raw words of the engine are no reason either", async () => {
  const logs = [
    () => Promise.reject(new TremplinError("not-found", "there is none")),
    async () => Readable.from([Buffer.from("lxc web 20260503101112.131 WARN     conf - a.c:b:1 - hm\n")]),
    async () => Readable.from([Buffer.from([0xff, 0x00, 0x0a])]),
  ];
  for (const log of logs) {
    const message =
      "web does not start, and its log at the engine has no reason; tremplin debug collects all logs";
    await assert.rejects(startInstance(engineThat(FORKSTART, log), "web"), { message });
  }
});

test("an engine that says the cause itself is repeated", async () => {
  const message =
    'the engine failed at Starting instance: Failed to start device "data": Missing source path "/x"';
  const engine = engineThat(message, () => assert.fail("the log is not needed"));
  await assert.rejects(startInstance(engine, "web"), { message });
});

test("consequences are left out where there is a cause, and at most three causes are said", () => {
  const line = (text: string) =>
    `lxc web 20260503101112.131 ERROR    conf - ../src/lxc/conf.c:f:12 - ${text}\n`;
  assert.deepEqual(startErrors(line("Failed to spawn container")), ["Failed to spawn container"]);
  assert.deepEqual(startErrors([..."abcd"].map(line).join("")), ["b", "c", "d"]);
  assert.deepEqual(startErrors(line("x\\x1b[31m\u0007") + line("x\\x1b[31m\u0007")), ["x\\x1b[31m"]);
  assert.deepEqual(startErrors(`no log\n${"x".repeat(10_000)}\n`), []);
});

test("each cause that is known has its advice", () => {
  assert.match(adviceFor(["Failed to load AppArmor profile"]), /AppArmor/);
  assert.match(adviceFor(['Failed to exec "/sbin/init"']), /no \/sbin\/init/);
  assert.match(adviceFor(["newuidmap failed to write mapping"]), /tremplin doctor/);
  assert.match(adviceFor(["something new"]), /tremplin debug/);
});

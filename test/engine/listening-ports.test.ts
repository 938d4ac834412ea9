import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { Health } from "../../src/contract/grpc/health/v1/health_pb.js";
import type { ListeningPortInfo } from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { engineOf } from "../support/engine-of.ts";
import { runInside } from "../support/run-inside.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

let daemon: TestDaemon;
let engine: Engine;

before(async () => {
  daemon = await launchedDaemon();
  engine = await engineOf(daemon);
  await createTiny(daemon, "one");
  await createTiny(daemon, "two");
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  await daemon?.[Symbol.asyncDispose]();
});

type Lists = Record<string, number[]>;

/** What all notices of ports told, in order; from the one of that number on. */
function told(from = 0): Lists[] {
  const notices = daemon.listener.notices.slice(from).filter(({ kind }) => kind === "ports");
  return notices.map(({ message }) => {
    const each = Object.entries((message as ListeningPortInfo).containerPorts);
    return Object.fromEntries(each.map(([name, { listeningTcp4Ports }]) => [name, listeningTcp4Ports]));
  });
}

/** Does something and waits until a notice has told exactly these lists. Answers all lists told meanwhile. */
async function tells(lists: Lists, act: () => Promise<unknown>): Promise<Lists[]> {
  const from = daemon.listener.notices.length;
  const wanted = JSON.stringify(Object.entries(lists).sort());
  await act();
  await daemon.listener.when(
    () => told(from).some((each) => JSON.stringify(Object.entries(each).sort()) === wanted),
    `a notice of ${JSON.stringify(lists)}`,
    20_000,
  );
  return told(from);
}

const inside = (container: string, script: string) => runInside(engine, container, script);

/** A program that listens on just the address that it is told: a web server of busybox. */
const listen = (container: string, address: string, port: number) =>
  inside(container, `httpd -f -p '${address}:${port}' >/dev/null 2>&1 & echo $! >/run/${port}`);
const close = (container: string, port: number) => inside(container, `kill $(cat /run/${port})`);

test("a container that starts is told, without ports first", async () => {
  assert.deepEqual(await tells({ one: [] }, () => startContainer(daemon, "one")), [{ one: [] }]);
  await inside("one", "ip link set lo up");
});

test("a port that is opened is told, and one that is closed", async () => {
  await tells({ one: [8080] }, () => listen("one", "0.0.0.0", 8080));
  await tells({ one: [443, 8080] }, () => listen("one", "0.0.0.0", 443));
  await tells({ one: [443] }, () => close("one", 8080));
});

test("loopback counts, IPv6 too; other addresses do not", async () => {
  await inside("one", "ip address add 10.9.9.9/32 dev lo");
  await listen("one", "10.9.9.9", 81);
  await tells({ one: [82, 443] }, () => listen("one", "127.0.0.1", 82));
  await tells({ one: [82, 83, 443] }, () => listen("one", "[::1]", 83));
  await tells({ one: [82, 83, 84, 443] }, () => listen("one", "[::]", 84));
  await tells({ one: [82, 84, 443] }, () => close("one", 83));
  assert.match(await inside("one", "netstat -ltn"), /10\.9\.9\.9:81/);
});

test("one port that is closed and another that is opened at once are told", async () => {
  await tells({ one: [84, 85, 443] }, () => inside("one", "kill $(cat /run/82); httpd -p 127.0.0.1:85"));
});

test("a container that lies in its own /proc is not asked", async () => {
  const lie =
    "   0: 00000000:1A0A 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0 100 0 0 10 0";
  const lists = await tells({ one: [84, 85, 87, 443] }, () =>
    inside(
      "one",
      `mount -t tmpfs none /proc; mkdir -p /proc/net /proc/1/net
        echo '${lie}' | tee /proc/net/tcp /proc/1/net/tcp >/proc/net/tcp6
        httpd -f -p 127.0.0.1:87 >/dev/null 2>&1 & echo $! >/run/87; sleep 1; umount /proc`,
    ),
  );
  assert.deepEqual(lists, [{ one: [84, 85, 87, 443] }]);
  await tells({ one: [84, 85, 443] }, () => close("one", 87));
});

test("every notice tells of all containers that run", async () => {
  await tells({ one: [84, 85, 443], two: [] }, () => startContainer(daemon, "two"));
  await tells({ one: [84, 85, 443], two: [22] }, () => listen("two", "0.0.0.0", 22));
  await tells({ one: [85, 443], two: [22] }, () => close("one", 84));
});

test("a container under a temporary name is never told", async () => {
  const hidden = "tremplin-create-0123abcd";
  await (await engine.instances.copy("two", hidden)).wait();
  await (await engine.instances.setState(hidden, { action: "start" })).wait();
  await listen(hidden, "0.0.0.0", 90);
  await tells({ one: [85, 86, 443], two: [22] }, () => listen("one", "0.0.0.0", 86));
  assert.ok(told().every((lists) => !(hidden in lists)));
  await (await engine.instances.setState(hidden, { action: "stop", force: true })).wait();
  await (await engine.instances.delete(hidden)).wait();
});

test("a container that reboots has no ports, then those that are opened again", async () => {
  await tells({ one: [], two: [22] }, () => inside("one", "reboot"));
  await daemon.listener.final("shutdown", "one");
  const lists = await tells({ one: [8080], two: [22] }, async () => {
    await rebooted("one");
    await listen("one", "0.0.0.0", 8080);
  });
  assert.deepEqual(lists.at(-1), { one: [8080], two: [22] });
});

/** Waits until the first process of a container that reboots is another one: nothing tells it. */
async function rebooted(name: string): Promise<void> {
  while ((await engine.instances.state(name)).pid <= 0) await delay(20);
}

test("a daemon that starts again tells everything, and clears what stopped meanwhile", async () => {
  await daemon.kill();
  await (await engine.instances.setState("two", { action: "stop", force: true })).wait();
  const from = daemon.listener.notices.length;
  await tells({ one: [8080], two: [] }, () => daemon.start());
  const since = daemon.listener.notices.slice(from).map(({ kind }) => kind);
  assert.ok(since.indexOf("ready") < since.indexOf("ports"));
  await daemon.listener.final("shutdown", "two");
});

test("a container that stops gets one empty list", async () => {
  await startContainer(daemon, "two");
  await tells({ one: [8080], two: [23] }, () => listen("two", "0.0.0.0", 23));
  const from = daemon.listener.notices.length;
  await tells({ one: [8080], two: [] }, () => daemon.tremplin.stopContainer({ containerName: "two" }));
  await daemon.listener.final("shutdown", "two");
  await tells({ one: [8080, 8081] }, () => listen("one", "0.0.0.0", 8081));
  assert.equal(told(from).filter((lists) => "two" in lists).length, 1);
});

test("everything is told again when the engine is back after a crash", async () => {
  const lists = { one: [8080, 8081] };
  await tells(lists, async () => process.kill(engine.info.pid, "SIGKILL"));
});

test("28,000 listeners in one container are told, and the daemon answers all the while", {
  timeout: 180_000,
}, async () => {
  const quiet = await answerTimes(2_000);
  const { pid } = await engine.instances.state("one");
  const crowds: ChildProcess[] = [];
  try {
    // Not more in one process than its limit of open files may allow.
    for (const first of [20_000, 27_000, 34_000, 41_000]) crowds.push(await crowd(pid, first, 7_000));
    const many = 28_002;
    await daemon.listener.when(() => told().at(-1)?.one?.length === many, `${many} ports`);
    // Each new listener has them all read again.
    const opening = (async () => {
      for (let port = 100; port < 120; port++) await listen("one", "127.0.0.1", port);
    })();
    const busy = await answerTimes(5_000);
    await opening;
    assert.ok(busy < Math.max(50, 2 * quiet), `${busy} ms, without them ${quiet} ms`);
  } finally {
    for (const each of crowds) each.kill("SIGKILL");
  }
  await daemon.listener.when(() => told().at(-1)?.one?.length === 22, "the ports that are left");
});

/** How many milliseconds the daemon takes to answer, all but one time in twenty. */
async function answerTimes(milliseconds: number): Promise<number> {
  const health = createClient(Health, daemon.connection.transport);
  const times: number[] = [];
  for (const end = performance.now() + milliseconds; performance.now() < end; await delay(5)) {
    const start = performance.now();
    await health.check({});
    times.push(performance.now() - start);
  }
  times.sort((one, other) => one - other);
  return Math.round(times[Math.floor(times.length * 0.95)] as number);
}

/** A program in the network of a container that listens on many ports of its loopback. */
async function crowd(init: number, first: number, count: number): Promise<ChildProcess> {
  const script = `
    const { createServer } = require("node:net");
    let open = 0;
    for (let index = 0; index < ${count}; index++) {
      createServer().listen(${first} + index, "127.0.0.1", () => ++open === ${count} && console.log("open"));
    }`;
  const words = [`--net=/proc/${init}/ns/net`, process.execPath, "--eval", script];
  const child = spawn("nsenter", words, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

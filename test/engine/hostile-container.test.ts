import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { SetUpUserResponse_Status as SetUp } from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import { instanceStatus } from "../../src/engine/resources/instance.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { engineOf } from "../support/engine-of.ts";
import { runInside } from "../support/run-inside.ts";
import { createTiny, launchedDaemon } from "../support/tiny-container.ts";
import { traps } from "./hostile-files.ts";

const SECRET = "the secret of the guest";
const LIMIT = 10_000;

let daemon: TestDaemon;
let engine: Engine;
/** A folder of the guest that links in containers point to. */
let outside = "";

before(async () => {
  daemon = await launchedDaemon();
  engine = await engineOf(daemon);
  outside = join(daemon.folder, "outside");
  await mkdir(join(outside, "home"), { recursive: true });
  await mkdir(join(outside, "linger"));
  const files = {
    passwd: "root:x:0:0:root:/root:/bin/sh\nleaked:x:1000:1000::/home/leaked:/bin/sh\n",
    group: "root:x:0:\nleaked:x:1000:\n",
    shadow: "root:leaked:19000:0:99999:7:::\n",
    secret: SECRET,
    "os-release": `ID=debian\nPRETTY_NAME="${SECRET}"\n`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(outside, name), text);
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  await daemon?.[Symbol.asyncDispose]();
});

const inside = (container: string, script: string) => runInside(engine, container, script);

/** The content of the outside folder, with the times of change. */
async function seen(): Promise<string[]> {
  const names = await readdir(outside, { recursive: true });
  const about = async (name: string) => {
    const { mtimeMs, mode, uid } = await stat(join(outside, name));
    const content = await readFile(join(outside, name), "utf8").catch(() => "");
    return [name, mtimeMs, mode, uid, content].join(" ");
  };
  return await Promise.all(names.sort().map(about));
}

/** Restores a container to its state before the hostile script. */
const reset = `rm -rf /etc/* /home/* /home/.ada* /var/lib/systemd /var/kept /srv /many /usr/share/zoneinfo
  cp -a /kept/. /etc/
`;

type State = "running" | "stopped";
const made = new Set<State>();

/** Runs the script as root in the container, which is created once; stops the container if requested. */
async function trapped(state: State, script: string): Promise<string> {
  if (!made.has(state)) {
    made.add(state);
    await createTiny(daemon, state);
    await start(state);
    await inside(state, "cp -a /etc /kept");
  }
  await start(state);
  await inside(state, reset + script.replaceAll("OUTSIDE", outside));
  if (state === "stopped") await stop(state);
  return state;
}

async function start(name: string): Promise<void> {
  const { value } = await engine.instances.get(name);
  if (value.status_code === instanceStatus.running) return;
  const starting = await engine.instances.setState(name, { action: "start" });
  await starting.wait({ signal: AbortSignal.timeout(20_000) });
}

/** Uses the engine's own command line. It would wait for ever for a helper that hangs. */
async function stop(name: string): Promise<void> {
  const stopping = await engine.instances.setState(name, { action: "stop", force: true });
  await stopping.wait({ signal: AbortSignal.timeout(20_000) });
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work;
  const milliseconds = performance.now() - begun;
  assert.ok(milliseconds < LIMIT, `it took ${Math.round(milliseconds)} ms`);
  return result;
}

const user = (containerName: string, containerUsername = "ada") =>
  inTime(daemon.tremplin.setUpUser({ containerName, containerUsername }));
const person = (containerName: string) => inTime(daemon.tremplin.getContainerUsername({ containerName }));

for (const state of ["running", "stopped"] as const) {
  for (const { title, plant, found, setUp, reason, look, there } of traps) {
    test(`${state}: ${title}`, async () => {
      const before = await seen();
      const name = await trapped(state, plant);
      const known = await person(name);
      if (found !== undefined) assert.equal(known.status, found, known.failureReason);
      const done = await user(name);
      assert.equal(done.status, setUp, done.failureReason);
      if (reason) assert.match(done.failureReason, reason);
      assert.doesNotMatch(JSON.stringify([known, done]), /leaked|secret of/);
      if (look) {
        await start(name);
        assert.match(await inside(name, look), there ?? /./);
      }
      assert.deepEqual(await seen(), before);
    });
  }
}

for (const username of [
  "root",
  "nobody",
  "",
  "a:b",
  "a\nb",
  "../x",
  "-r",
  "Ada",
  "x".repeat(33),
  "$(reboot)",
  "a b",
]) {
  test(`the user name ${JSON.stringify(username)} is refused, and nothing is written`, async () => {
    const name = await trapped("running", "");
    const stamps = "stat -c '%n %i %Z' /etc /etc/* /home; cat /etc/passwd /etc/shadow";
    const before = await inside(name, stamps);
    const { status, failureReason } = await user(name, username);
    assert.equal(status, SetUp.FAILED);
    assert.match(failureReason, /user name/);
    assert.equal(await inside(name, stamps), before);
  });
}

test("os-release is read from the container, never from the guest", async () => {
  const name = await trapped(
    "stopped",
    "rm /etc/os-release; ln -s OUTSIDE/os-release /etc/os-release; rm -f /usr/lib/os-release",
  );
  const { osRelease } = await inTime(daemon.tremplin.startContainer({ containerName: name }));
  assert.equal(osRelease, undefined);
  await daemon.listener.final("start", name);
  await inside(name, "rm /etc/os-release; mkfifo /etc/os-release");
  await stop(name);
  assert.equal((await inTime(daemon.tremplin.startContainer({ containerName: name }))).osRelease, undefined);
  await daemon.listener.final("start", name);
});

for (const state of ["running", "stopped"] as const) {
  test(`${state}: the time zone is set in the container, whatever its links point to`, async () => {
    const before = await seen();
    const plant = `mkdir -p /usr/share/zoneinfo/Etc; echo TZif > /usr/share/zoneinfo/Etc/UTC;
      ln -s OUTSIDE/secret /usr/share/zoneinfo/Etc/GMT+9; mkfifo /etc/timezone.tremplin;
      rm -f /etc/localtime; ln -s OUTSIDE/secret /etc/localtime; ln -s OUTSIDE/secret /etc/timezone`;
    const name = await trapped(state, plant);
    const set = (timezoneName: string) =>
      inTime(daemon.tremplin.setTimezone({ timezoneName, containerNames: [name] }));
    assert.deepEqual((await set("Etc/UTC")).failureReasons, []);
    assert.match(
      (await set("Etc/GMT+9")).failureReasons.join(),
      /it has no file \/usr\/share\/zoneinfo\/Etc\/GMT\+9/,
    );
    await start(name);
    assert.equal(
      await inside(name, "readlink /etc/localtime; cat /etc/timezone"),
      "/usr/share/zoneinfo/Etc/UTC\nEtc/UTC\n",
    );
    assert.deepEqual(await seen(), before);
  });
}

test("hanging tools of a container are killed, and the fallback is used", async () => {
  const script = "#!/bin/sh\\ntrap : TERM INT HUP\\necho $$ >> /run/hung\\nyes\\n";
  const tools = ["timedatectl", "networkctl", "resolvectl", "sysctl", "killall"]
    .map((tool) => `/bin/${tool}`)
    .join(" ");
  const name = await trapped(
    "running",
    `rm -f ${tools}; printf '${script}' | tee ${tools} > /dev/null; chmod 755 ${tools}`,
  );
  const rule = "CET-1CEST,M3.5.0,M10.5.0/3";
  const [zone] = await Promise.all([
    daemon.tremplin.setTimezone({
      timezoneName: "Europe/Berlin",
      posixTzString: rule,
      containerNames: [name],
    }),
    daemon.tremplin.hostNetworkChanged({}),
  ]);
  assert.equal(zone.successes, 1);
  assert.equal((await engine.instances.get(name)).value.config["environment.TZ"], rule);
  await inside(name, "sleep 1; for pid in $(cat /run/hung); do ! kill -0 $pid 2>/dev/null || exit 1; done");
});

test("a program that keeps changing the account files blocks nothing", async () => {
  const before = await seen();
  const name = await trapped(
    "running",
    "cp /etc/passwd /etc/a; (cat /etc/a; echo zoe:x:2000:2000::/:/bin/sh) > /etc/b",
  );
  const fight = async (loop: string) => {
    const over = new AbortController();
    const fighting = engine
      .execCapture(name, ["sh", "-c", loop], { signal: over.signal })
      .catch(() => undefined);
    await delay(200);
    for (let round = 0; round < 2; round++) {
      const { status, failureReason } = await user(name);
      assert.ok(status === SetUp.SUCCESS || failureReason !== "");
      await person(name);
    }
    over.abort();
    await fighting;
  };
  await fight("while :; do cp /etc/a /etc/passwd; cp /etc/b /etc/passwd; done");
  await fight(`while :; do rm /etc/passwd; mkfifo /etc/passwd; rm /etc/passwd; cp /etc/a /etc/passwd;
    rm /etc/passwd; ln -s ${outside}/passwd /etc/passwd; rm /etc/passwd; cp /etc/b /etc/passwd; done`);
  await inside(name, "rm -f /etc/passwd; cp /etc/a /etc/passwd");
  assert.equal((await user(name)).failureReason, "");
  assert.equal((await person(name)).username, "ada");
  assert.deepEqual(await seen(), before);
});

test("the daemon's memory did not grow", async () => {
  const status = await readFile(`/proc/${daemon.pid}/status`, "utf8");
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  assert.ok(peak < 192 * 1024 * 1024, `${peak} bytes`);
});

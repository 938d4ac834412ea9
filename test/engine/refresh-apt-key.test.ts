import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { silentLogger } from "../../src/base/logger.ts";
import { refreshAptKey } from "../../src/daemon/operations/start/apt.ts";
import { crostini } from "../../src/daemon/sites/crostini.ts";
import { generic } from "../../src/daemon/sites/generic.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { type PrivateLxd, privateLxd } from "../support/private-lxd.ts";
import { runInside } from "../support/run-inside.ts";
import { uploadTinyImage } from "../support/tiny-image.ts";

let lxd: PrivateLxd;
let engine: Engine;
const clock = new ManualClock();
const ending = new AbortController();

before(async () => {
  lxd = await privateLxd();
  engine = await lxd.connect();
  const fingerprint = await uploadTinyImage(engine, {
    "etc/os-release": "ID=debian\n",
    // Says what it was asked for, and asks nobody.
    "usr/bin/apt-key": '#!/bin/sh\necho "$@" >> /asked\n',
  });
  const source = { type: "image", fingerprint } as const;
  await (await engine.instances.create({ name: "deb", source })).wait();
  await (await engine.instances.setState("deb", { action: "start" })).wait();
  await inside("chmod 755 /usr/bin/apt-key");
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lxd?.[Symbol.asyncDispose]();
});

const inside = (script: string) => runInside(engine, "deb", script);
const asked = () => inside("cat /asked 2>/dev/null; true");

/** Begins it, does something, and lets a minute pass. */
async function refresh(meanwhile: () => unknown, site = crostini): Promise<void> {
  const tools = { engine: () => engine, site, shutdownSignal: ending.signal, clock, log: silentLogger };
  const refreshing = refreshAptKey(tools, "deb");
  await Promise.race([clock.sleeping(), refreshing]);
  await meanwhile();
  clock.advance(60_000);
  await refreshing;
}

test("a minute after the start apt is told to fetch the key", async () => {
  await refresh(async () => assert.equal(await asked(), ""));
  assert.match(
    await asked(),
    /^adv --refresh-keys --keyserver keyserver\.ubuntu\.com EB4C1BFD4F[0-9A-F]{30}\n$/,
  );
});

for (const [why, meanwhile, site] of [
  [
    "stopped meanwhile",
    async () => (await engine.instances.setState("deb", { action: "restart", force: true })).wait(),
  ],
  ["not of Debian", () => inside("echo ID=other > /etc/os-release")],
  ["without apt-key", () => inside("echo ID=debian > /etc/os-release; mv /usr/bin/apt-key /root")],
  ["of another place", () => inside("mv /root/apt-key /usr/bin"), generic],
  ["left by its daemon", () => ending.abort()],
] as const) {
  test(`not in a container that is ${why}`, async () => {
    await inside("rm -f /asked");
    await refresh(meanwhile, site);
    assert.equal(await asked(), "");
  });
}

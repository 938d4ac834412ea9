import assert from "node:assert/strict";
import { test } from "node:test";
import { StartLxdProgress_Status as Launched } from "../../src/contract/tremplin_pb.js";
import { secondBridge } from "../support/clean-up.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startLxd } from "../support/database-reset.ts";
import { enginePid } from "../support/engine-pid.ts";
import { engineCommand } from "../support/in-container.ts";
import { execute } from "../support/system-state.ts";
import { createTiny, launch, launchedDaemon } from "../support/tiny-container.ts";

const ip = async (...words: string[]): Promise<string> => (await execute("ip", words)).stdout;

/** The daemon and its engine are killed, and a user makes a bridge of the name that one of theirs had. */
async function takeName(daemon: TestDaemon, name: string): Promise<() => Promise<string>> {
  const pid = await enginePid(daemon);
  await daemon.kill();
  process.kill(pid, "SIGKILL");
  await ip("link", "delete", "dev", name);
  await ip("link", "add", name, "type", "bridge");
  await ip("addr", "add", "198.51.100.1/24", "dev", name);
  return () => ip("-o", "addr", "show", "dev", name);
}

async function fails(daemon: TestDaemon, resetLxdDb: boolean, why: RegExp): Promise<void> {
  await daemon.tremplin.startLxd({ resetLxdDb });
  const { status, failureReason } = await daemon.listener.final("startLxd");
  assert.equal(status, Launched.FAILED);
  assert.match(failureReason, why);
}

test("a foreign bridge with the name of ours is not touched, although our dnsmasq still runs", async () => {
  await using daemon = await launchedDaemon();
  const look = await takeName(daemon, daemon.bridge);
  const before = await look();
  await daemon.start();
  const why = new RegExp(`interface ${daemon.bridge} exists already and belongs to something else`);
  await fails(daemon, false, why);
  await fails(daemon, true, why);
  assert.equal(await look(), before);
  await ip("link", "delete", "dev", daemon.bridge);
  await launch(daemon);
});

test("nor is one with the name of another network of the engine, and the reset works once it is away", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "penguin");
  const second = secondBridge(daemon.bridge);
  const address = daemon.subnet.replace("10.213", "10.214");
  await engineCommand(
    daemon,
    ...["network", "create", second, `ipv4.address=${address}`, "ipv4.dhcp=false", "ipv6.address=none"],
  );
  const look = await takeName(daemon, second);
  const before = await look();
  await daemon.start();
  const why = new RegExp(`interface ${second} exists already .* give the interface another name`);
  await fails(daemon, true, why);
  await fails(daemon, false, why);
  assert.equal(await look(), before);
  await ip("link", "delete", "dev", second);
  assert.equal(await startLxd(daemon, true), "");
  assert.match(await engineCommand(daemon, "network", "list", "-f", "csv"), new RegExp(`^${second},`, "m"));
});

test("what a user plugged into our bridge survives a reset", async () => {
  await using daemon = await launchedDaemon();
  const [port, peer] = [`${daemon.bridge.slice(0, 12)}p`, `${daemon.bridge.slice(0, 12)}q`];
  await ip("link", "add", port, "type", "veth", "peer", "name", peer);
  try {
    await ip("link", "set", port, "master", daemon.bridge);
    const pid = await enginePid(daemon);
    await daemon.kill();
    process.kill(pid, "SIGKILL");
    await daemon.start();
    assert.equal(await startLxd(daemon, true), "");
    assert.match(await ip("link", "show", "dev", port), new RegExp(`${port}@${peer}`));
  } finally {
    await ip("link", "delete", "dev", port);
  }
});

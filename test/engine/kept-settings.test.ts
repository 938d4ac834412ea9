import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Config } from "../../src/engine/resources/pools.ts";
import type { Devices } from "../../src/engine/resources/profiles.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { engineCommand, engineQuery, inContainer } from "../support/in-container.ts";
import { restartDaemon } from "../support/restart-daemon.ts";
import { testFolder } from "../support/test-run.ts";
import { createTiny, launch, launchedDaemon, startContainer } from "../support/tiny-container.ts";

interface Settings {
  readonly config: Config;
  readonly devices: Devices;
}

const profileOf = async (daemon: TestDaemon) =>
  (await engineQuery(daemon, "/1.0/profiles/default")) as Settings;
const networkOf = async (daemon: TestDaemon) =>
  ((await engineQuery(daemon, `/1.0/networks/${daemon.bridge}`)) as Settings).config;
const serverOf = async (daemon: TestDaemon) => ((await engineQuery(daemon, "/1.0")) as Settings).config;

/** What a person sets by hand, everywhere that the daemon sets something too. */
async function personEdits(daemon: TestDaemon): Promise<void> {
  const data = join(daemon.folder, "data");
  await mkdir(data);
  await writeFile(join(data, "work"), "mine");
  const lxc = (...words: string[]) => engineCommand(daemon, ...words);
  await lxc("profile", "set", "default", "limits.memory", "256MiB");
  await lxc("profile", "set", "default", "boot.host_shutdown_timeout", "30");
  await lxc("profile", "unset", "default", "security.nesting");
  await lxc("profile", "device", "remove", "default", "tun");
  await lxc("profile", "device", "add", "default", "data", "disk", `source=${data}`, "path=/data");
  await lxc("network", "set", daemon.bridge, "dns.domain", "home");
  await lxc("network", "set", daemon.bridge, "raw.dnsmasq", "no-hosts");
  await lxc("network", "set", daemon.bridge, "ipv4.nat", "false");
  await lxc("config", "set", "images.auto_update_interval", "12");
  await lxc("config", "set", "core.shutdown_timeout", "3");
}

test("what a person set in profile, network and engine is there after each start, and said", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "web");
  await personEdits(daemon);
  await startContainer(daemon, "web");
  assert.equal(await inContainer(daemon, "web", "cat", "/data/work"), "mine");
  const look = async () => [await profileOf(daemon), await networkOf(daemon), await serverOf(daemon)];
  const before = await look();

  await daemon.kill();
  await restartDaemon(daemon);
  assert.deepEqual(await look(), before);
  assert.equal(await inContainer(daemon, "web", "cat", "/data/work"), "mine");
  assert.match(await daemon.log(), /"keys":\["boot\.host_shutdown_timeout","security\.nesting","tun"\]/);

  // Nor when there is no record, as with the engine of a version that kept none: what is missing comes back then.
  await daemon.stop("SIGPWR");
  await rm(join(daemon.folder, "state/lxd.settings.json"));
  await daemon.start();
  await launch(daemon);
  const [profile, network, server] = await look();
  assert.deepEqual([network, server], before.slice(1));
  const { config, devices } = profile as Settings;
  assert.deepEqual(
    [config["limits.memory"], config["boot.host_shutdown_timeout"], config["security.nesting"]],
    ["256MiB", "30", "true"],
  );
  assert.deepEqual(Object.keys(devices).sort(), ["data", "eth0", "fuse", "root", "tun"]);
});

test("a later version of the site changes and removes what is its own, and nothing else", async () => {
  const place = await testFolder();
  await using _place = { [Symbol.asyncDispose]: () => rm(place, { recursive: true }) };
  const site = join(place, "site.yaml");
  const write = (network: Config, config: Config, devices: Devices) =>
    writeFile(site, JSON.stringify({ name: "place", network, profile: { config, devices } }));
  const fuse = { type: "unix-char", source: "/dev/fuse", path: "/dev/fuse" };
  const zero = { type: "unix-char", source: "/dev/zero", path: "/dev/extra" };
  await write(
    { "ipv6.address": "none", "ipv4.nat": "true", "dns.domain": "one" },
    { "user.one": "1", "user.two": "1", "user.three": "1" },
    { fuse, zero },
  );
  await using daemon = await startDaemon({ site });
  await launch(daemon);
  await engineCommand(daemon, "profile", "set", "default", "user.three", "person");
  await engineCommand(daemon, "profile", "set", "default", "user.four", "person");
  await daemon.stop("SIGPWR");

  await write(
    { "ipv6.address": "none", "dns.domain": "two" },
    { "user.one": "2", "user.three": "2", "user.four": "2" },
    { fuse: { ...fuse, mode: "0666" } },
  );
  await daemon.start();
  await launch(daemon);
  const { config, devices } = await profileOf(daemon);
  const expected = { "user.one": "2", "user.three": "person", "user.four": "person" };
  assert.deepEqual(config, { "boot.autostart": "false", ...expected });
  assert.deepEqual(Object.keys(devices).sort(), ["eth0", "fuse", "root"]);
  assert.equal(devices.fuse?.mode, "0666");
  const network = await networkOf(daemon);
  assert.deepEqual([network["dns.domain"], network["ipv4.nat"]], ["two", undefined]);
});

test("a network card and a root disk of a person's own serve as those that containers need; missing ones are added", async () => {
  await using daemon = await launchedDaemon();
  const lxc = (...words: string[]) => engineCommand(daemon, ...words);
  await lxc("profile", "device", "remove", "default", "root");
  await lxc("profile", "device", "remove", "default", "eth0");
  await lxc("profile", "device", "add", "default", "big", "disk", "pool=default", "path=/", "size=1GiB");
  await daemon.kill();
  await restartDaemon(daemon);
  const { devices } = await profileOf(daemon);
  assert.deepEqual(Object.keys(devices).sort(), ["big", "eth0", "fuse", "tun"]);
  assert.equal(devices.big?.size, "1GiB");
  await daemon.kill();
  await restartDaemon(daemon);
  assert.deepEqual((await profileOf(daemon)).devices, devices);
});

test("a record that is damaged is set aside; a device whose source is gone does not keep the engine from starting", async () => {
  await using daemon = await launchedDaemon();
  await personEdits(daemon);
  const file = join(daemon.folder, "state/lxd.settings.json");
  await daemon.stop("SIGPWR");
  await writeFile(file, '{"confirmed":');
  await rm(join(daemon.folder, "data"), { recursive: true });
  await daemon.start();
  await launch(daemon);
  assert.equal((await profileOf(daemon)).config["limits.memory"], "256MiB");
  assert.ok((await profileOf(daemon)).devices.data);
  assert.equal(await readFile(`${file}.unreadable`, "utf8"), '{"confirmed":');
});

test("a container's own device under a key of the site is left as it is", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "web");
  const source = join(daemon.folder, "own-token");
  await writeFile(source, "");
  await engineCommand(
    daemon,
    ...["config", "device", "add", "web", "container_token", "disk", `source=${source}`, "path=/own"],
  );
  await daemon.kill();
  await restartDaemon(daemon);
  const { devices } = (await engineQuery(daemon, "/1.0/instances/web")) as Settings;
  assert.deepEqual(devices.container_token, { type: "disk", source, path: "/own" });
});

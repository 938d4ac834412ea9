import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "../../src/engine/engine.ts";
import type { FileSession } from "../../src/engine/files/file-session.ts";
import { secondBridge } from "./clean-up.ts";
import type { TestDaemon } from "./daemon.ts";
import { engineOf } from "./engine-of.ts";
import { engineCommand } from "./in-container.ts";
import { createTiny } from "./tiny-container.ts";

/** What of an engine must be the same after its database was made anew. */
export interface ResetContents {
  readonly instances: unknown;
  readonly snapshots: unknown;
  readonly volumes: string;
  readonly networks: unknown;
  readonly profiles: unknown;
}

/**
 * Three containers: one with a snapshot that differs from it, one with a profile of a user's own, a folder of this machine and a
 * volume, one with a second network. Answers the folder.
 */
export async function createThree(daemon: TestDaemon): Promise<string> {
  for (const name of ["penguin", "web", "store"]) await createTiny(daemon, name);
  await using engine = await engineOf(daemon);
  await inFiles(engine, (files) =>
    files.create("/root/kept", Buffer.from("before"), { uid: 0, gid: 0, mode: 0o600 }),
  );
  await (await engine.snapshots.create("penguin", "way-back")).wait();
  await inFiles(engine, (files) => files.remove("/root/kept"));
  const folder = join(daemon.folder, "data");
  await mkdir(folder, { recursive: true });
  await engine.profiles.create({ name: "mine", config: { "user.mine": "yes" }, devices: {} });
  await engineCommand(daemon, "storage", "volume", "create", "default", "box");
  await engine.instances.update("web", (web) => ({
    ...web,
    profiles: ["default", "mine"],
    devices: {
      ...web.devices,
      data: { type: "disk", source: folder, path: "/data" },
      box: { type: "disk", pool: "default", source: "box", path: "/box" },
    },
  }));
  const second = secondBridge(daemon.bridge);
  const config = { "ipv4.address": daemon.subnet.replace("10.213", "10.214"), "ipv6.address": "none" };
  await engine.networks.create({ name: second, config });
  await engine.instances.update("store", (store) => ({
    ...store,
    devices: { ...store.devices, eth1: { type: "nic", network: second, name: "eth1" } },
  }));
  return folder;
}

/** Everything that must come back. */
export async function readResetContents(daemon: TestDaemon): Promise<ResetContents> {
  await using engine = await engineOf(daemon);
  const instances = (await engine.instances.list()).sort((a, b) => a.name.localeCompare(b.name));
  const snapshots = await Promise.all(
    instances.map(async ({ name }) => (await engine.snapshots.list(name)).map((each) => each.name)),
  );
  const networks = (await engine.networks.list()).filter(({ managed }) => managed);
  const profiles = await engine.profiles.list();
  return {
    instances: instances.map(({ name, expanded_config, expanded_devices, profiles: used }) => ({
      name,
      used,
      config: Object.fromEntries(
        Object.entries(expanded_config).filter(
          ([key]) => !/^volatile\.(last_state\.power|apply_template|.*host_name)/.test(key),
        ),
      ),
      devices: expanded_devices,
    })),
    snapshots,
    volumes: await engineCommand(daemon, "storage", "volume", "list", "default", "-f", "csv", "-c", "tn"),
    networks: networks.map(({ name, config }) => ({ name, address: config["ipv4.address"] })),
    profiles: profiles.map(({ name, config, devices }) => ({ name, config, devices })),
  };
}

/** Restores the snapshot, and checks that it is as it was. */
export async function restorePenguin(daemon: TestDaemon): Promise<void> {
  await using engine = await engineOf(daemon);
  await (await engine.snapshots.restore("penguin", "way-back")).wait();
  assert.equal((await inFiles(engine, (files) => files.read("/root/kept", 100))).toString(), "before");
}

async function inFiles<T>(engine: Engine, act: (files: FileSession) => Promise<T>): Promise<T> {
  using files = await engine.fileSession("penguin");
  return await act(files);
}

import { createHash } from "node:crypto";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "../../src/engine/engine.ts";
import type { FullInstance } from "../../src/engine/resources/instance.ts";
import type { Snapshot } from "../../src/engine/resources/snapshots.ts";
import type { TestDaemon } from "./daemon.ts";

/** Where a user writes files in a container, and where many lie whose owners change at a remap. */
export const BY_HAND = "root/by-hand";
export const MANY = "root/many";
const MARK = "user.tremplin.operation";

/** What others can see of one container at one moment. */
export interface ContainerState {
  readonly name: string;
  readonly uuid: string;
  readonly status: string;
  readonly usedAt: string;
  /** Without what the engine keeps for itself and without the mark of an operation. */
  readonly config: Readonly<Record<string, string>>;
  readonly mark: string | undefined;
  readonly devices: unknown;
  readonly profiles: readonly string[];
  readonly snapshots: readonly SnapshotState[];
  /** What a user wrote in it, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Whether all files that are root's inside are so as its id map says. */
  readonly owners: "right" | "wrong";
}

export interface SnapshotState {
  readonly name: string;
  readonly createdAt: string;
  readonly expires: boolean;
}

export interface FileState {
  readonly inode: string;
  readonly size: number;
  readonly sum: string;
}

/** All that a user or an operation may have made. */
export interface ObservedState {
  readonly containers: readonly ContainerState[];
  readonly images: readonly { readonly fingerprint: string; readonly operation: string | undefined }[];
  readonly profile: unknown;
  readonly shared: Readonly<Record<string, FileState>>;
}

export async function readState(daemon: TestDaemon, engine: Engine): Promise<ObservedState> {
  const [instances, images, profile, shared] = await Promise.all([
    engine.instances.listFull(),
    engine.images.list(),
    engine.profiles.get("default"),
    stateOfFolder(daemon.shared),
  ]);
  const { config, devices, description } = profile.value;
  return {
    containers: await Promise.all(instances.map((each) => stateOf(daemon, each))),
    images: images.map(({ fingerprint, properties }) => ({
      fingerprint,
      operation: properties?.["tremplin-operation"],
    })),
    profile: { config, devices, description },
    shared,
  };
}

async function stateOf(daemon: TestDaemon, instance: FullInstance): Promise<ContainerState> {
  const { name, status, last_used_at: usedAt, config, devices, profiles, snapshots } = instance;
  const root = join(daemon.folder, "state/lxd/storage-pools/default/containers", name, "rootfs");
  return {
    name,
    uuid: config["volatile.uuid"] ?? "",
    status,
    usedAt,
    config: Object.fromEntries(
      Object.entries(config).filter(([key]) => !key.startsWith("volatile.") && key !== MARK),
    ),
    mark: config[MARK],
    devices,
    profiles,
    snapshots: (snapshots ?? []).map(stateOfSnapshot).sort((a, b) => a.name.localeCompare(b.name)),
    files: await textsIn(join(root, BY_HAND)),
    owners: await ownersIn(root, config["volatile.last_state.idmap"] ?? "[]"),
  };
}

function stateOfSnapshot({ name, created_at: createdAt, expires_at: expiresAt }: Snapshot): SnapshotState {
  return { name, createdAt, expires: Date.parse(expiresAt) > 0 };
}

async function textsIn(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder).catch(() => []);
  const texts = names.map(
    async (name) => [name, await readFile(join(folder, name), "utf8").catch(() => "")] as const,
  );
  return Object.fromEntries(await Promise.all(texts));
}

/** A tree that was shifted half, or twice, has owners that its map does not say. */
async function ownersIn(root: string, idMap: string): Promise<"right" | "wrong"> {
  const ranges = JSON.parse(idMap || "[]") as { Isuid: boolean; Hostid: number; Nsid: number }[];
  const owner = ranges.find(({ Isuid, Nsid }) => Isuid && Nsid === 0)?.Hostid ?? 0;
  const many = (await readdir(join(root, MANY)).catch(() => [])).map((name) => join(MANY, name));
  const found = await Promise.all(
    ["", "root", "etc/passwd", ...many].map((path) =>
      lstat(join(root, path)).then(
        ({ uid }) => uid,
        () => owner,
      ),
    ),
  );
  return found.every((uid) => uid === owner) ? "right" : "wrong";
}

async function stateOfFolder(folder: string): Promise<Record<string, FileState>> {
  const names = (await readdir(folder)).sort();
  const states = names.map(async (name) => {
    const path = join(folder, name);
    const { ino, size } = await lstat(path, { bigint: true });
    const sum = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
    return [name, { inode: String(ino), size: Number(size), sum }] as const;
  });
  return Object.fromEntries(await Promise.all(states));
}

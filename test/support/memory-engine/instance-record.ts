import { randomUUID } from "node:crypto";
import {
  type Instance,
  type InstanceMetadata,
  type InstanceUpdate,
  instanceStatus,
} from "../../../src/engine/resources/instance.ts";
import type { Config } from "../../../src/engine/resources/pools.ts";
import type { Devices, Profile } from "../../../src/engine/resources/profiles.ts";
import type { Snapshot } from "../../../src/engine/resources/snapshots.ts";
import type { FileTree } from "./file-tree.ts";

/** The content of an instance, or of one of its snapshots. */
export interface Content {
  config: Config;
  devices: Devices;
  profiles: readonly string[];
  ephemeral: boolean;
  description: string;
  architecture: string;
  files: FileTree;
  metadata: InstanceMetadata;
  /** The texts of its templates by their names. */
  templates: Readonly<Record<string, string>>;
}

export interface SnapshotRecord extends Content {
  name: string;
  createdAt: string;
  expiresAt: string;
}

/** An instance as the engine holds it. Tests may change it as a person would behind the daemon's back. */
export interface InstanceRecord extends Content {
  name: string;
  status: "Stopped" | "Running" | "Frozen";
  createdAt: string;
  lastUsedAt: string;
  /** 0 while it does not run. */
  pid: number;
  snapshots: SnapshotRecord[];
  /** Whether it ignores that it is asked to shut down. */
  isStubborn: boolean;
}

export const NEVER_USED = "1970-01-01T00:00:00Z";
export const NEVER_EXPIRES = "0001-01-01T00:00:00Z";

/** The id map of a container whose files lie on the disk as the container sees them. */
const UNSHIFTED = "[]";
const ids = { Hostid: 100_000, Nsid: 0, Maprange: 10_000_001 };
const SHIFTED = JSON.stringify([
  { Isuid: true, Isgid: false, ...ids },
  { Isuid: false, Isgid: true, ...ids },
]);

const codes = {
  Stopped: instanceStatus.stopped,
  Running: instanceStatus.running,
  Frozen: instanceStatus.frozen,
};

/** The keys that the engine itself writes into the configuration of a new instance. */
export function volatileOfNew(idMap: string = UNSHIFTED): Config {
  return {
    "volatile.apply_template": "create",
    "volatile.cloud-init.instance-id": randomUUID(),
    "volatile.idmap.base": "0",
    "volatile.last_state.idmap": idMap,
    "volatile.uuid": randomUUID(),
  };
}

/** The configuration with the id map that the next start uses. */
export function withNextIdMap(config: Config): Config {
  const next = config["security.privileged"] === "true" ? UNSHIFTED : SHIFTED;
  return { ...config, "volatile.idmap.next": next };
}

/** The configuration of an instance that has just started: its files have the owners of the next map by now. */
export function configOfStarted(config: Config): Config {
  const { "volatile.apply_template": _, ...kept } = config;
  const next = config["volatile.idmap.next"] ?? SHIFTED;
  return {
    ...kept,
    "volatile.idmap.current": next,
    "volatile.last_state.idmap": next,
    "volatile.last_state.power": "RUNNING",
  };
}

/** The part that a PUT may write and that the ETag stands for. */
export function writablePart({
  architecture,
  config,
  devices,
  ephemeral,
  profiles,
  description,
}: Content): Omit<InstanceUpdate, "stateful"> {
  return { architecture, config, devices, ephemeral, profiles, description };
}

/** The same content again, that changes on its own. */
export function copyContent(content: Content): Content {
  const { files, metadata, templates } = content;
  return { ...writablePart(content), files: files.copy(), metadata, templates };
}

/** An instance as the API answers it. */
export function viewInstance(instance: InstanceRecord, profiles: ReadonlyMap<string, Profile>): Instance {
  const { name, status, createdAt, lastUsedAt } = instance;
  const applied = instance.profiles.map((each) => profiles.get(each)).filter((each) => each !== undefined);
  return {
    ...writablePart(instance),
    stateful: false,
    name,
    type: "container",
    status,
    status_code: codes[status],
    created_at: createdAt,
    last_used_at: lastUsedAt,
    location: "none",
    expanded_config: Object.assign({}, ...applied.map(({ config }) => config), instance.config),
    expanded_devices: Object.assign({}, ...applied.map(({ devices }) => devices), instance.devices),
  };
}

/** A snapshot as the API answers it; LXD leaves the description out. */
export function viewSnapshot(snapshot: SnapshotRecord): Snapshot {
  const { name, createdAt, expiresAt } = snapshot;
  const { description: _, ...settings } = writablePart(snapshot);
  const view = { ...settings, stateful: false, name, created_at: createdAt, expires_at: expiresAt, size: -1 };
  return view as Snapshot;
}

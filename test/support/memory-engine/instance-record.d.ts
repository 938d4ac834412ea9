import { type Instance, type InstanceMetadata, type InstanceUpdate } from "../../../src/engine/resources/instance.ts";
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
export declare const NEVER_USED = "1970-01-01T00:00:00Z";
export declare const NEVER_EXPIRES = "0001-01-01T00:00:00Z";
/** The keys that the engine itself writes into the configuration of a new instance. */
export declare function volatileOfNew(idMap?: string): Config;
/** The configuration with the id map that the next start uses. */
export declare function withNextIdMap(config: Config): Config;
/** The configuration of an instance that has just started: its files have the owners of the next map by now. */
export declare function configOfStarted(config: Config): Config;
/** The part that a PUT may write and that the ETag stands for. */
export declare function writablePart({ architecture, config, devices, ephemeral, profiles, description, }: Content): Omit<InstanceUpdate, "stateful">;
/** The same content again, that changes on its own. */
export declare function copyContent(content: Content): Content;
/** An instance as the API answers it. */
export declare function viewInstance(instance: InstanceRecord, profiles: ReadonlyMap<string, Profile>): Instance;
/** A snapshot as the API answers it; LXD leaves the description out. */
export declare function viewSnapshot(snapshot: SnapshotRecord): Snapshot;

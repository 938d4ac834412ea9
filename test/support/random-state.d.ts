import type { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "./daemon.ts";
/** Where a user writes files in a container, and where many lie whose owners change at a remap. */
export declare const BY_HAND = "root/by-hand";
export declare const MANY = "root/many";
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
    readonly images: readonly {
        readonly fingerprint: string;
        readonly operation: string | undefined;
    }[];
    readonly profile: unknown;
    readonly shared: Readonly<Record<string, FileState>>;
}
export declare function readState(daemon: TestDaemon, engine: Engine): Promise<ObservedState>;

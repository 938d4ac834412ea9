import type { TestDaemon } from "./daemon.ts";
export interface BackupContent {
    /** The text of its metadata.yaml. */
    readonly metadata?: string;
    /** Files of the root file system besides those of the tiny container. */
    readonly files?: Readonly<Record<string, string>>;
    /** Files of the templates folder. */
    readonly templates?: Readonly<Record<string, string>>;
    /** A shell script that is run in the root file system before it is packed. */
    readonly script?: string;
    /** How tar packs it: `--gzip` (default), `--zstd`, `--xz`, or "" for not at all. */
    readonly packing?: string;
    /** The members in their order. */
    readonly members?: readonly string[];
}
export declare const plainMetadata: string;
/** Puts a backup of a tiny container into the shared folder; its rootfs is that of `rootfs.tar.gz` there. */
export declare function shareBackup({ shared }: TestDaemon, name: string, content?: BackupContent): Promise<string>;
/** ImportContainer until its final notice, which is given. */
export declare function importBackup(daemon: TestDaemon, containerName: string, importPath: string, request?: {}): Promise<import("../../src/contract/tremplin_pb.js").ContainerImportProgress>;
/** The same, and it must be DONE. */
export declare function imported(daemon: TestDaemon, containerName: string, importPath: string): Promise<void>;

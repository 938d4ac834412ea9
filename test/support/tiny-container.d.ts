import { type DaemonOptions, type TestDaemon } from "./daemon.ts";
/** A daemon whose engine runs and in whose shared folder the tarballs of a tiny container lie. */
export declare function launchedDaemon(options?: DaemonOptions): Promise<TestDaemon>;
/** A daemon and what it is reached by, whoever started it. */
export type Reached = Pick<TestDaemon, "tremplin" | "listener" | "shared">;
/** StartLxd until STARTED. */
export declare function launch({ tremplin, listener }: Reached): Promise<void>;
/** Puts `rootfs.tar.gz` and `metadata.tar.gz` of a tiny container into the shared folder. */
export declare function shareTinyImage({ shared }: Reached, files?: Record<string, string>): Promise<void>;
/** The request that makes a tiny container. */
export declare function tinyRequest({ shared }: Reached, containerName: string): {
    containerName: string;
    rootfsPath: string;
    metadataPath: string;
};
/** Creates a tiny container. */
export declare function createTiny(daemon: Reached, name: string): Promise<void>;
/** Starts a container. */
export declare function startContainer(daemon: Reached, name: string, request?: {}): Promise<void>;

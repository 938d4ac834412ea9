import type { TestDaemon } from "./daemon.ts";
/** Creates a container of a Debian release. Its image is built once a month, by whoever needs it first. */
export declare function createDebian(daemon: TestDaemon, containerName: string, release?: string): Promise<void>;
/** Gives a daemon the image that PrepareImage would build. */
export declare function shareDebianImage({ shared }: TestDaemon, release: string): Promise<void>;

import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import {
  ContainerCreationProgress_Status as Created,
  CreateContainerResponse_Status as Creating,
  StartLxdProgress_Status as Launched,
  StartLxdResponse_Status as Launching,
  ContainerStartProgress_Status as Started,
  StartContainerResponse_Status as Starting,
} from "../../src/contract/tremplin_pb.js";
import { type DaemonOptions, startDaemon, type TestDaemon } from "./daemon.ts";
import { tinyImage } from "./tiny-image.ts";

/** A daemon whose engine runs and in whose shared folder the tarballs of a tiny container lie. */
export async function launchedDaemon(options: DaemonOptions = {}): Promise<TestDaemon> {
  const daemon = await startDaemon(options);
  try {
    await launch(daemon);
    await shareTinyImage(daemon);
    return daemon;
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
}

/** A daemon and what it is reached by, whoever started it. */
export type Reached = Pick<TestDaemon, "tremplin" | "listener" | "shared">;

/** StartLxd until STARTED. */
export async function launch({ tremplin, listener }: Reached): Promise<void> {
  const { status, failureReason } = await tremplin.startLxd({});
  assert.equal(status, Launching.STARTING, failureReason);
  const final = await listener.final("startLxd");
  assert.equal(final.status, Launched.STARTED, final.failureReason);
}

/** Puts `rootfs.tar.gz` and `metadata.tar.gz` of a tiny container into the shared folder. */
export async function shareTinyImage({ shared }: Reached, files: Record<string, string> = {}): Promise<void> {
  await using image = await tinyImage(files);
  await copyFile(image.rootfs, join(shared, "rootfs.tar.gz"));
  await copyFile(image.metadata, join(shared, "metadata.tar.gz"));
}

/** The request that makes a tiny container. */
export function tinyRequest({ shared }: Reached, containerName: string) {
  return {
    containerName,
    rootfsPath: join(shared, "rootfs.tar.gz"),
    metadataPath: join(shared, "metadata.tar.gz"),
  };
}

/** Creates a tiny container. */
export async function createTiny(daemon: Reached, name: string): Promise<void> {
  const { status, failureReason } = await daemon.tremplin.createContainer(tinyRequest(daemon, name));
  assert.equal(status, Creating.CREATING, failureReason);
  const final = await daemon.listener.final("create", name);
  assert.equal(final.status, Created.CREATED, final.failureReason);
}

/** Starts a container. */
export async function startContainer(daemon: Reached, name: string, request = {}): Promise<void> {
  const { status, failureReason } = await daemon.tremplin.startContainer({ containerName: name, ...request });
  assert.ok(status === Starting.STARTING || status === Starting.REMAPPING, failureReason);
  const final = await daemon.listener.final("start", name);
  assert.equal(final.status, Started.STARTED, final.failureReason);
}

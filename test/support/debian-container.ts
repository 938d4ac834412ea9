import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { silentLogger } from "../../src/base/logger.ts";
import { ContainerCreationProgress_Status as Created } from "../../src/contract/tremplin_pb.js";
import { debianImage } from "../../src/daemon/images/debian-image.ts";
import type { TestDaemon } from "./daemon.ts";

/** Creates a container of a Debian release. Its image is built once a month, by whoever needs it first. */
export async function createDebian(
  daemon: TestDaemon,
  containerName: string,
  release = "bookworm",
): Promise<void> {
  const { rootfsPath, metadataPath } = await builtImage(release);
  const shared = join(daemon.shared, basename(dirname(rootfsPath)));
  await cp(dirname(rootfsPath), shared, { recursive: true });
  await daemon.tremplin.createContainer({
    containerName,
    rootfsPath: join(shared, basename(rootfsPath)),
    metadataPath: join(shared, basename(metadataPath)),
  });
  const final = await daemon.listener.final("create", containerName);
  assert.equal(final.status, Created.CREATED, final.failureReason);
}

/** Gives a daemon the image that PrepareImage would build. */
export async function shareDebianImage({ shared }: TestDaemon, release: string): Promise<void> {
  const image = dirname((await builtImage(release)).rootfsPath);
  await cp(image, join(shared, "images", basename(image)), { recursive: true, preserveTimestamps: true });
}

async function builtImage(release: string) {
  const folder = join(process.env.TREMPLIN_CACHE ?? "/var/cache/tremplin", "images");
  const signal = new AbortController().signal;
  const build = debianImage({ release, folder, signal, log: silentLogger });
  for (;;) {
    const { done, value } = await build.next();
    if (done) return value;
  }
}

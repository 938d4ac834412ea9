import { chmod, mkdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Clock, systemClock } from "../../base/async/clock.ts";
import { lockFile, tryLockFile } from "../../base/files/file-lock.ts";
import { ignoreMissing } from "../../base/files/files.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { machineApt } from "../mirrors/machine-apt.ts";
import { type Architecture, machineArchitecture } from "./architecture.ts";
import { configureRootfs } from "./configure-rootfs.ts";
import { findMirrors } from "./debian-mirror.ts";
import { type DebianRelease, debianRelease } from "./debian-releases.ts";
import { mmdebstrap } from "./mmdebstrap.ts";
import type { ImageProgress } from "./mmdebstrap-progress.ts";
import { type ImageFiles, imageFiles, packImage } from "./pack-image.ts";
import { provideCachedPackages, saveToCache } from "./package-cache.ts";
import { replaceImage } from "./replace-image.ts";

export interface DebianImageOptions {
  /** A codename of debian-releases.ts. */
  readonly release: string;
  /** The folder of images. Several processes may share it. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly clock?: Clock;
  /** With this machine's apt sources. Default: /etc/apt. */
  readonly aptFolder?: string | undefined;
}

/** Increase this when images are built differently, so that old ones are not used. */
const RECIPE_VERSION = 3;

/** Older images are rebuilt, so that a new container does not start with a month of updates. */
const MAX_AGE_MS = 30 * 24 * 60 * 60 * 1000;

/**
 * The system container image of a Debian release, in FOLDER/debian-RELEASE-ARCHITECTURE-RECIPE. Builds it from
 * Debian's packages unless it exists and is not older than 30 days. Concurrent calls for an image share one build, also
 * between processes. After a kill at any instant no incomplete image is used. Throws `invalid` for an unknown release,
 * `failed` with the last output of the tool.
 */
export async function* debianImage(
  options: DebianImageOptions,
): AsyncGenerator<ImageProgress, ImageFiles, void> {
  const { folder, signal, clock = systemClock } = options;
  const release = debianRelease(options.release);
  const architecture = machineArchitecture();
  const image = join(folder, `debian-${release.codename}-${architecture.debian}-${RECIPE_VERSION}`);
  if (await isFresh(image, clock)) return imageFiles(image);

  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lockPath = hiddenPath(image, "lock");
  await using stack = new AsyncDisposableStack();
  let lock = stack.use(await tryLockFile(lockPath, signal));
  if (!lock) {
    yield { message: "Waiting for a running build of the same image", percent: 0 };
    lock = stack.use(await lockFile(lockPath, signal));
  }
  // The previous holder of the lock may have built it.
  if (await isFresh(image, clock)) return imageFiles(image);
  yield* build({ ...options, clock, release, architecture, image, lockFd: lock.fd });
  return imageFiles(image);
}

interface Build extends Omit<DebianImageOptions, "release"> {
  readonly clock: Clock;
  readonly release: DebianRelease;
  readonly architecture: Architecture;
  readonly image: string;
  readonly lockFd: number;
}

async function* build(options: Build): AsyncGenerator<ImageProgress, void, void> {
  const { release, image, signal, clock, log, aptFolder } = options;
  const startedAt = clock.elapsed();
  const work = hiddenPath(image, "building");
  const tree = join(work, "tree");
  const packages = hiddenPath(image, "packages");
  // Under the lock, so this belongs to a build that died.
  await rm(work, { recursive: true, force: true });
  try {
    await mkdir(tree, { recursive: true, mode: 0o700 });
    const machine = machineApt(join(work, "release-files"), signal);
    const mirrors = await findMirrors(release.codename, machine, { aptFolder });
    const step = { ...options, tree, work };
    await chmod(tree, 0o755);
    await provideCachedPackages(packages, tree);
    yield* mmdebstrap({ ...step, mirror: mirrors.build });
    await saveToCache(tree, packages);
    yield { message: "Setting up the network", percent: 87 };
    await configureRootfs({ ...step, mirror: mirrors.inside });
    yield { message: "Packing", percent: 88 };
    const fresh = await packImage({ ...step, created: new Date(clock.now()) });
    const kept = await replaceImage(image, fresh, join(work, "old"));
    if (kept) log.warn({ image, kept }, "the old image had files that the daemon did not write; kept it");
    const seconds = Math.round((clock.elapsed() - startedAt) / 1000);
    log.info({ image, seconds, mirror: mirrors.inside.main }, "built an image");
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = TremplinError.from(error);
    throw new TremplinError(code, `cannot build the image of Debian ${release.codename}: ${message}`, error);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A file or folder for an image, with a name that no image has. */
function hiddenPath(image: string, what: string): string {
  return join(dirname(image), `.${basename(image)}.${what}`);
}

async function isFresh(image: string, clock: Clock): Promise<boolean> {
  const found = await stat(imageFiles(image).metadataPath).catch(ignoreMissing);
  return found !== undefined && clock.now() - found.mtimeMs < MAX_AGE_MS;
}

import { lstat, rm, statfs } from "node:fs/promises";
import { runProgram } from "../../base/processes/run-program.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { ifHidden, snapshotPath } from "../../engine/storage/local-paths.ts";
import { BTRFS_MAGIC } from "../supervisor/prepare/prepare-storage.ts";
import { findContainer } from "./find-container.ts";

/** The inode of the root of each btrfs subvolume. */
const SUBVOLUME = 256;

/**
 * Removes the files of a snapshot that the engine does not know of. LXD 5.0.2 leaves a subvolume when it fails at a
 * snapshot because files vanish while it looks through them: the next one of that name would fail on it.
 */
export async function removeOrphanedSnapshot(
  engine: Engine,
  container: string,
  snapshot: string,
  signal?: AbortSignal,
): Promise<void> {
  const instance = await findContainer(engine, container, signal);
  const folder = instance && snapshotPath(engine, instance, snapshot);
  if (!folder) return;
  const found = await lstat(folder).catch(ifHidden);
  if (!found || (await engine.snapshots.get(container, snapshot, { signal }).catch(ifMissing))) return;
  const isSubvolume = found.ino === SUBVOLUME && (await statfs(folder)).type === BTRFS_MAGIC;
  if (isSubvolume) await runProgram("btrfs", ["property", "set", "-ts", folder, "ro", "false"]);
  await rm(folder, { recursive: true, force: true });
}

import { lstat, rm, statfs } from "node:fs/promises";
import { runProgram } from "../../base/processes/run-program.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { BTRFS_MAGIC, SUBVOLUME_INODE } from "../../engine/storage/btrfs.ts";
import { ifHidden, snapshotPath } from "../../engine/storage/local-paths.ts";
import { findContainer } from "./find-container.ts";

/** Deletes a snapshot, unless it is gone already, and the files of one that the engine failed to take. */
export async function deleteSnapshot(
  engine: Engine,
  container: string,
  snapshot: string,
  signal?: AbortSignal,
): Promise<void> {
  const deletion = await engine.snapshots.delete(container, snapshot, { signal }).catch(ifMissing);
  await deletion?.wait({ signal });
  if (!deletion) await removeOrphanedSnapshot(engine, container, snapshot, signal);
}

/**
 * Removes the files of a snapshot that the engine does not know of. LXD 5.0.2 leaves a subvolume when files vanish
 * while it takes a snapshot of them; the next snapshot of that name would fail on it.
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
  const isSubvolume = found.ino === SUBVOLUME_INODE && (await statfs(folder)).type === BTRFS_MAGIC;
  if (isSubvolume) await runProgram("btrfs", ["property", "set", "-ts", folder, "ro", "false"]);
  await rm(folder, { recursive: true, force: true });
}

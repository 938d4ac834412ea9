import { posix } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/file-session.ts";
import { ifMissing } from "../../engine/if-missing.ts";

/** Makes sure of a directory of a container and of those above it: new ones are root's, 0755. */
export async function makeFolder(files: FileSession, path: string): Promise<void> {
  const there = await files.stat(path).catch(ifMissing);
  if (there?.type === "directory") return;
  if (there)
    throw new TremplinError("failed", `${path} in the container is a ${there.type}, not a directory`);
  await makeFolder(files, posix.dirname(path));
  await files.mkdir(path, { uid: 0, gid: 0, mode: 0o755 });
}

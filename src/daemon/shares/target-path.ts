import { posix } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { Devices } from "../../engine/resources/profiles.ts";
import { isShare } from "../containers/share-mark.ts";
import { PRIMARY_UID } from "../guest/add-accounts.ts";
import { findPrimaryUser } from "../guest/primary-user.ts";

const MAX_LENGTH = 1024;
/** Where a container's own system mounts something at its start, over what was there. */
const COVERED = ["/dev", "/proc", "/run", "/sys", "/tmp"];

/** Throws `invalid` for a path at which a container cannot have a share. */
export function checkTarget(path: string): void {
  const refuse = (rule: string): never => {
    throw new TremplinError(
      "invalid",
      `${JSON.stringify(path.slice(0, 80))} cannot be the path in the container: ${rule}`,
    );
  };
  if (!posix.isAbsolute(path) || posix.normalize(path) !== path || path.endsWith("/")) {
    refuse("it must be absolute, without . and .. and a / at the end");
  }
  // The engine's configuration of a container has a line for each.
  if (/[\p{Cc}\\]/u.test(path) || path.length > MAX_LENGTH)
    refuse("it has characters that no engine takes, or too many");
  const covered = COVERED.find((folder) => path === folder || path.startsWith(`${folder}/`));
  if (covered) refuse(`the container's system mounts its own things in ${covered}`);
}

/** Throws `exists` where another device of the container has the path. */
export function checkDevices(devices: Devices, path: string): void {
  const taken = Object.entries(devices).find(([, device]) => device.path === path && !isShare(device));
  if (!taken) return;
  throw new TremplinError(
    "exists",
    `the device ${taken[0]} of the container is at ${path}; give another path`,
  );
}

/** The ids of the person in a container. */
export interface Person {
  readonly uid: number;
  readonly gid: number;
  /** Whether there is such an account. */
  readonly isThere: boolean;
}

/** Looks for the person, and throws `exists` if something is at the path that a share would hide. */
export async function inspectContainer(
  engine: Engine,
  name: string,
  path: string | undefined,
  signal: AbortSignal,
): Promise<Person> {
  using files = await engine.fileSession(name, { signal });
  if (path !== undefined) await checkIsFree(files, path);
  const found = await findPrimaryUser(files).catch(() => undefined);
  return { uid: PRIMARY_UID, gid: found?.gid ?? PRIMARY_UID, isThere: found !== undefined };
}

async function checkIsFree(files: FileSession, path: string): Promise<void> {
  const bytes = Buffer.from(path).toString("latin1");
  const found = await files.lstat(bytes).catch(ifMissing);
  if (!found) return;
  const hidden = (what: string) =>
    new TremplinError(
      "exists",
      `${path} in the container ${what}, which a share would hide; give another path`,
    );
  if (found.type !== "directory") throw hidden("is there already");
  // Beside "." and ".." there may be one more before it is too many.
  const inside = await files.list(bytes, 2).catch((error) => {
    if (TremplinError.from(error).code === "failed") throw hidden("is a folder with files in it");
    throw error;
  });
  if (inside.length > 0) throw hidden("is a folder with files in it");
}

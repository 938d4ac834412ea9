import { type FileHandle, link, rename, unlink } from "node:fs/promises";
import { identityOf, isUntouched } from "../../../base/files/file-identity.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { sha256OfFile } from "../../backups/compressed-file.ts";
import type { FoundFile } from "./found-file.ts";
import type { SharedPlace } from "./shared-place.ts";

/** A whole backup that is to get its name. */
export interface Naming {
  readonly place: SharedPlace;
  readonly temporary: string;
  readonly final: string;
  readonly file: FileHandle;
  /** As it was asked for. */
  readonly path: string;
}

/** What a system says where a file system has no hard links. */
const NO_LINKS = new Set(["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EMLINK", "EACCES"]);

/** Whether a name belongs to this open file. */
export async function isStillNamed(place: SharedPlace, name: string, file: FileHandle): Promise<boolean> {
  const [found, own] = await Promise.all([place.find(name), file.stat({ bigint: true })]);
  return found?.ino === own.ino && found.dev === own.dev;
}

/** Gives it a name that nothing has. Throws `failed` where something has it meanwhile. */
export async function giveName(naming: Naming): Promise<void> {
  const { place, temporary, final } = naming;
  try {
    // Unlike a rename, a link never replaces anything.
    await link(place.at(temporary), place.at(final));
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") await assertSameContent(naming);
    else if (!NO_LINKS.has(code)) throw error;
    else return await renameToFree(naming);
  }
  await unlink(place.at(temporary));
}

/** Puts it in the place of a file. Throws `failed` where that was changed or replaced since it was found. */
export async function replaceNamed(naming: Naming, found: FoundFile): Promise<void> {
  const { place, temporary, final, file, path } = naming;
  await found.giveOwnerTo(file, path);
  await file.sync();
  const now = await place.find(final);
  // Who took it away wants to keep it elsewhere, or not at all.
  if (!now) return await giveName(naming);
  if (!isUntouched(identityOf(now), identityOf(found.stats))) throw inTheWay(path);
  await rename(place.at(temporary), place.at(final));
}

async function renameToFree({ place, temporary, final, path }: Naming): Promise<void> {
  if (await place.find(final)) throw inTheWay(path);
  await rename(place.at(temporary), place.at(final));
}

/** A file that is called by its fingerprint, and has it, is this very backup. */
async function assertSameContent({ place, final, file, path }: Naming): Promise<void> {
  const there = await place.find(final);
  if (!there?.isFile() || final !== `${await sha256OfFile(`/proc/self/fd/${file.fd}`)}.tar.gz`)
    throw inTheWay(path);
  if (final !== `${await sha256OfFile(place.at(final))}.tar.gz`) throw inTheWay(`${path}/${final}`);
}

function inTheWay(path: string): TremplinError {
  return new TremplinError(
    "failed",
    `somebody put a file at ${path}, or changed the one there, while the backup was written; it is left as it is: export again, or to another name`,
  );
}

import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { legible } from "./lossless-text.ts";
import { checkFolder, makeFolder } from "./make-folder.ts";

const FOLDER = "/var/lib/systemd/linger";

/** Throws `failed` where `enableLinger` would: for a name that is no name of a file, or with something in its way. */
export async function checkLinger(files: FileSession, user: string): Promise<void> {
  // The name may be the container's word.
  if (!/^[^/\0]{1,255}$/.test(user) || user === "." || user === "..") {
    throw new TremplinError("failed", `the user name "${legible(user)}" cannot be the name of a file`);
  }
  await checkFolder(files, FOLDER);
}

/** Lets the services of a user run from the boot on, as `loginctl enable-linger` does. */
export async function enableLinger(files: FileSession, user: string): Promise<void> {
  await checkLinger(files, user);
  await makeFolder(files, FOLDER);
  const path = `${FOLDER}/${user}`;
  if (await files.lstat(path).catch(ifMissing)) return;
  await files.create(path, new Uint8Array(), { uid: 0, gid: 0, mode: 0o644 });
}

import { posix } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { WriteFilesInput_Start } from "../../contract/tremplin/v1/guest_pb.js";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { checkFolder, folderState, resolveFileLinks } from "../guest/container-files.ts";
import { displayText } from "../guest/lossless-text.ts";
import { fileError, noRoomError } from "./file-error.ts";
import { type Ids, idsOf, personOf, wholePath } from "./place.ts";
import type { Target } from "./receive-tree.ts";

/** What a copy writes to, and the whole path of that. */
export interface OpenedTarget {
  readonly path: string;
  readonly target: Target;
}

/** Finds the place for a copy in a container, makes its missing folders, and checks that there is space for it. */
export async function openTarget(files: FileSession, start: WriteFilesInput_Start): Promise<OpenedTarget> {
  const { containerName: container, owner: wanted, intoFolder } = start;
  const person = await personOf(files);
  const path = wholePath(start.path, person);
  try {
    const owner = await idsOf(files, wanted);
    const type = (await files.stat(path).catch(ifMissing))?.type;
    const isFolder = type === "directory" || (intoFolder && type === undefined);
    if (intoFolder && !isFolder) throw noFolder(path, container);
    if (type === undefined && (await files.lstat(path).catch(ifMissing))) {
      throw new TremplinError(
        "failed",
        `${displayText(path)} in ${container} is a link to nothing: remove it, or name another place`,
      );
    }
    // The file behind a link is replaced, not the link.
    const place = isFolder || type === undefined ? path : await resolveFileLinks(files, path);
    const folder = isFolder ? path : posix.dirname(place);
    await makeFolders(files, folder, owner ?? person);
    await checkSpace(files, { container, path, folder }, Number(start.totalBytes));
    const name = isFolder ? undefined : posix.basename(place);
    return { path, target: { container, folder, name, person, owner } };
  } catch (error) {
    throw await fileError(error, files, { container, path, verb: "written" });
  }
}

/** New folders are the person's; those that are there stay as they are. */
async function makeFolders(files: FileSession, path: string, ids: Ids): Promise<void> {
  await checkFolder(files, path);
  if ((await folderState(files, path)) === "exists") return;
  await makeFolders(files, posix.dirname(path), ids);
  await files.mkdir(path, { ...ids, mode: 0o755 });
}

async function checkSpace(
  files: FileSession,
  place: { readonly container: string; readonly path: string; readonly folder: string },
  bytes: number,
): Promise<void> {
  const space = await files.freeSpace(place.folder).catch(() => undefined);
  if (space?.isReadOnly) {
    const where = `${displayText(place.folder)} in ${place.container}`;
    throw new TremplinError("failed", `${where} is on a file system that is read-only`);
  }
  if (space && space.free < bytes) throw noRoomError(place, bytes, space.free);
}

function noFolder(path: string, container: string): TremplinError {
  return new TremplinError("failed", `${displayText(path)} in ${container} is no folder`);
}

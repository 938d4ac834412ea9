import { posix } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileInfo, GetOptions, InstanceFiles } from "../../engine/instance-files.ts";

/** More links than this in a row are a loop (behaviour.md 2.4). */
const MOST_LINKS = 40;

/**
 * Reads a file of a container; where it is a symbolic link, the file that it means inside the container. The
 * engine confines each path to the container, so a link that points out of it points to nothing.
 */
export async function readFollowing(
  files: InstanceFiles,
  container: string,
  path: string,
  options: GetOptions,
): Promise<FileInfo & { readonly path: string; readonly content: Buffer }> {
  let place = path;
  for (let links = 0; links <= MOST_LINKS; links++) {
    const { type } = await files.stat(container, place, options);
    if (type !== "symlink") return { ...(await files.get(container, place, options)), path: place };
    place = posix.resolve(posix.dirname(place), await files.readlink(container, place, options));
  }
  throw new TremplinError(
    "failed",
    `${path} in ${container} is more than ${MOST_LINKS} symbolic links in a row`,
  );
}

import { loadNative } from "../base/native/load-native.ts";

/**
 * Where QEMU keeps the owners, modes, kinds and links that the machine gives to files of the shared folder. On the host
 * they are plain files and folders of the user who runs the machine, which only that user can open: none is set-user-ID,
 * a device, a pipe or a symbolic link. `mapped-xattr`: in the extended attributes of each file; `mapped-file`: in folders
 * `.virtfs_metadata`, which do not follow a file that is renamed on the host.
 */
export type SharedOwnership = "mapped-xattr" | "mapped-file";

/** The better one that the file system of the folder can do. */
export async function findOwnership(shared: string): Promise<SharedOwnership> {
  const { keepsAttributes } = await loadNative(() => import("../base/native/extended-attributes.ts"));
  return keepsAttributes(shared) ? "mapped-xattr" : "mapped-file";
}

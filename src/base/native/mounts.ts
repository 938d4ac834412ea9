import { closeSync, openSync } from "node:fs";
import { getSystemErrorMap } from "node:util";
import { lastError, libc } from "./raw-socket.ts";

const calls = {
  openTree: libc.func("int open_tree(int, const char*, uint)"),
  setAttributes: libc.func("int mount_setattr(int, const char*, uint, const void*, size_t)"),
  move: libc.func("int move_mount(int, const char*, int, const char*, uint)"),
  unmount: libc.func("int umount2(const char*, int)"),
};

const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const AT_EMPTY_PATH = 0x1000;
const AT_FDCWD = -100;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MS_PRIVATE = 1n << 18n;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
const ATTRIBUTE = { readOnly: 1n, noSetUid: 2n, noDevices: 4n, idMap: 1n << 20n };

export interface MountOptions {
  readonly readOnly: boolean;
  /** The file of a user namespace: what has an id of the namespace on disk has the id that it stands for in the mount. */
  readonly idMap: string | undefined;
}

/**
 * Shows an open folder in another one, with its file systems below it left out, and without set-uid programs and devices.
 * Throws the error of the system: EINVAL and EPERM where the file system cannot map ids.
 */
export function mountFolder(folder: number, target: string, { readOnly, idMap }: MountOptions): void {
  const mount = checked(
    "open_tree",
    calls.openTree(folder, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH),
  );
  const namespace = idMap === undefined ? undefined : openSync(idMap, "r");
  try {
    let attributes = ATTRIBUTE.noSetUid | ATTRIBUTE.noDevices;
    if (readOnly) attributes |= ATTRIBUTE.readOnly;
    if (namespace !== undefined) attributes |= ATTRIBUTE.idMap;
    const request = new BigUint64Array([attributes, 0n, MS_PRIVATE, BigInt(namespace ?? 0)]);
    const bytes = Buffer.from(request.buffer);
    checked("mount_setattr", calls.setAttributes(mount, "", AT_EMPTY_PATH, bytes, bytes.length));
    checked("move_mount", calls.move(mount, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH));
  } finally {
    closeSync(mount);
    if (namespace !== undefined) closeSync(namespace);
  }
}

/** Ends a mount; programs and containers that have it keep it. Throws the error of the system: EINVAL where there is none. */
export function unmountFolder(target: string): void {
  checked("umount2", calls.unmount(target, MNT_DETACH | UMOUNT_NOFOLLOW));
}

function checked(syscall: string, result: number): number {
  if (result >= 0) return result;
  const [code = "", message = ""] = getSystemErrorMap().get(-lastError()) ?? [];
  throw Object.assign(new Error(`${code}: ${message}, ${syscall}`), { code, syscall });
}

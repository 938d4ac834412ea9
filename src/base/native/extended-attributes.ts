import { libc } from "./raw-socket.ts";

const calls = {
  setxattr: libc.func("int setxattr(const char*, const char*, const void*, size_t, int)"),
  removexattr: libc.func("int removexattr(const char*, const char*)"),
};

const PROBE = "user.tremplin.probe";

/** Whether the file system of a file or folder of this user keeps extended attributes (xattr(7)). Changes nothing. */
export function keepsAttributes(path: string): boolean {
  if (calls.setxattr(path, PROBE, Buffer.from("1"), 1, 0) < 0) return false;
  calls.removexattr(path, PROBE);
  return true;
}

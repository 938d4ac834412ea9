const meanings: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EADDRINUSE: "something listens there already",
  EADDRNOTAVAIL: "this machine has no such address",
  EAI_AGAIN: "its name cannot be resolved now",
  EBUSY: "something else uses it",
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was cut off",
  EDQUOT: "the quota of its file system is used up",
  EEXIST: "something of that name exists already",
  EFBIG: "its file system, or a limit, allows no larger file",
  EHOSTDOWN: "the machine that shares it is down",
  EHOSTUNREACH: "no network leads there",
  EIO: "its disk fails; see dmesg",
  EISDIR: "it is a folder",
  ELOOP: "it is a symbolic link, or a link in its path leads to itself",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "its name is too long",
  ENETUNREACH: "no network leads there",
  ENFILE: "too many files are open on this machine",
  ENOENT: "there is no such file or folder",
  ENOSYS: "its file system does not support it",
  ENOSPC: "there is no space left on its file system",
  ENOTDIR: "a part of its path is not a folder",
  ENOTFOUND: "no machine of that name is known",
  ENOTCONN: "the connection to what shares it is gone",
  ENOTSUP: "its file system does not support it",
  ENXIO: "it is a device or a pipe with nothing behind it",
  EOPNOTSUPP: "its file system does not support it",
  EPERM: "it is not permitted",
  EPIPE: "the connection was closed",
  EREMOTEIO: "the disk of the machine that shares it fails",
  EROFS: "its file system is read-only",
  ESTALE: "its share was replaced by another one meanwhile",
  ETIMEDOUT: "it did not answer in time",
};

/** Whether an error is of a system call whose meaning is known here. */
export function isKnownSystemError(thrown: unknown): boolean {
  return Object.hasOwn(meanings, (thrown as NodeJS.ErrnoException | undefined)?.code ?? "");
}

/** The reason of a failed system call in plain words; the error's own message for codes that have none here. */
export function systemErrorText(thrown: unknown): string {
  const { code, syscall, message } = thrown as NodeJS.ErrnoException;
  // ENOENT of a socket means that nothing listens; of a file, that the file is missing.
  if (code === "ENOENT" && syscall === "connect") return "nothing listens there";
  return meanings[code ?? ""] ?? message;
}

/** Like systemErrorText, with the path of the failed call. */
export function systemErrorSentence(thrown: Error): string {
  const { path } = thrown as NodeJS.ErrnoException;
  const text = systemErrorText(thrown);
  return isKnownSystemError(thrown) && path ? `${path}: ${text}` : text;
}

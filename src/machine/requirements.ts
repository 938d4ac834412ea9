import { findExecutable } from "../base/processes/find-executable.ts";
import { TremplinError } from "../base/tremplin-error.ts";

/** The programs that running a machine needs, by Debian's package. */
const toRun = { "qemu-system-x86_64": "qemu-system-x86", ssh: "openssh-client", openssl: "openssl" } as const;
/** Those that building its disk needs besides. */
const toBuild = { mmdebstrap: "mmdebstrap", mke2fs: "e2fsprogs", unshare: "util-linux" } as const;

/** Throws `failed` with the packages to install, or where no machine can run at all. */
export async function checkRequirements({ build }: { build: boolean }): Promise<void> {
  if (process.arch !== "x64") {
    throw new TremplinError("failed", `machines run on x86-64 only so far, and this is ${process.arch}`);
  }
  const wanted = Object.entries({ ...toRun, ...(build ? toBuild : {}) });
  const found = await Promise.all(wanted.map(([program]) => findExecutable(program)));
  const missing = wanted.filter((_, index) => !found[index]).map(([, name]) => name);
  if (missing.length === 0) return;
  throw new TremplinError(
    "failed",
    `a machine needs packages that are not installed: run sudo scripts/packages --machine, or sudo apt install ${missing.join(" ")}`,
  );
}

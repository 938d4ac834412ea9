import { findExecutable } from "../base/processes/find-executable.ts";
import { TremplinError } from "../base/tremplin-error.ts";

/** The programs that a machine needs to run, with their Debian packages. */
const toRun = { "qemu-system-x86_64": "qemu-system-x86", ssh: "openssh-client", openssl: "openssl" } as const;
/** The programs that building its system needs as well. */
const toBuild = { mmdebstrap: "mmdebstrap", mke2fs: "e2fsprogs", unshare: "util-linux" } as const;

/** Throws `failed` with the packages to install, or on a computer that cannot run a machine. */
export async function checkRequirements({ build }: { build: boolean }): Promise<void> {
  if (process.arch !== "x64") {
    throw new TremplinError(
      "failed",
      `tremplin machine supports only x86-64, and this computer is ${process.arch}`,
    );
  }
  const wanted = Object.entries({ ...toRun, ...(build ? toBuild : {}) });
  const found = await Promise.all(wanted.map(([program]) => findExecutable(program)));
  const missing = wanted.filter((_, index) => !found[index]).map(([, name]) => name);
  if (missing.length === 0) return;
  throw new TremplinError(
    "failed",
    `packages for the machine are missing: run sudo scripts/packages --machine, or sudo apt install ${missing.join(" ")}`,
  );
}

/** Throws `invalid` for root without its word: QEMU would run as root, and a fault in it would give away the host. */
export function checkUser({ uid, asRoot }: { uid: number | undefined; asRoot: boolean }): void {
  if (uid !== 0 || asRoot) return;
  throw new TremplinError(
    "invalid",
    "tremplin machine needs no root, and was started by root: a guest that breaks out of QEMU would be root on this computer. Run it as another user, or with --as-root if that is meant",
  );
}

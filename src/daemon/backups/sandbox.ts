import type { UserNamespace } from "../guest/user-namespace.ts";

/** Fits the largest windows of zstd and xz, but not a name of gigabytes in an archive. */
const MEMORY_LIMIT_BYTES = 1024 ** 3;
/** nobody and nogroup. */
const NOBODY = 65534;

/** The folder that a sandboxed program may write to. The namespace must shift ids. */
export interface UnpackTarget {
  readonly folder: string;
  readonly namespace: UserNamespace;
}

/**
 * Wraps a command that reads untrusted data: bounded memory, an empty environment, and the user nobody without
 * privileges, who can only use its pipes; with a target, in its folder and as root of its namespace instead.
 * images/isolated-program.ts is for programs that are trusted and need root.
 */
export function sandboxed(
  command: readonly [program: string, ...args: string[]],
  target?: UnpackTarget,
): { readonly command: readonly [string, ...string[]]; readonly cwd: string } {
  const bounds = ["prlimit", `--as=${MEMORY_LIMIT_BYTES}`, "--core=0", "--"] as const;
  const identity = ["--reuid", `${NOBODY}`, "--regid", `${NOBODY}`, "--clear-groups", "--no-new-privs"];
  const nobody = ["setpriv", ...identity, "--pdeathsig", "KILL", "--"] as const;
  const environment = ["env", "-i", `PATH=${process.env.PATH}`, "LC_ALL=C", "TZ=UTC", ...command] as const;
  return {
    command: [
      ...bounds,
      ...(target ? target.namespace.command(...environment) : [...nobody, ...environment]),
    ],
    cwd: target?.folder ?? "/",
  };
}

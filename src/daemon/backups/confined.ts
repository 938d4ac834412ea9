import type { UserNamespace } from "./user-namespace.ts";

/** Bytes of memory: the largest windows of zstd and xz fit, a name of gigabytes in an archive does not. */
const MEMORY = 1024 ** 3;
/** nobody and nogroup, the same on all Linux systems that matter here. */
const NOBODY = 65534;

/** Where a confined program may write: the namespace must be one that shifts ids. */
export interface Home {
  readonly folder: string;
  readonly namespace: UserNamespace;
}

/**
 * How a program is run that reads what a stranger wrote: with bounded memory, nothing of our environment, and as
 * nobody, who can get no privileges and opens nothing but its pipes; or, with a home, there, as the root of its namespace.
 */
export function confined(
  command: readonly [program: string, ...args: string[]],
  home?: Home,
): { readonly words: readonly [string, ...string[]]; readonly cwd: string } {
  const bounds = ["prlimit", `--as=${MEMORY}`, "--core=0", "--"] as const;
  const identity = ["--reuid", `${NOBODY}`, "--regid", `${NOBODY}`, "--clear-groups", "--no-new-privs"];
  const nobody = ["setpriv", ...identity, "--pdeathsig", "KILL", "--"] as const;
  const environment = ["env", "-i", `PATH=${process.env.PATH}`, "LC_ALL=C", "TZ=UTC", ...command] as const;
  return {
    words: [...bounds, ...(home ? home.namespace.command(...environment) : [...nobody, ...environment])],
    cwd: home?.folder ?? "/",
  };
}

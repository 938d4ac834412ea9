import { TremplinError } from "../../base/tremplin-error.ts";

/** What `tremplin -lxd_subnet CIDR` stands for (docs/contract.md#starting-the-daemon). */
const EQUIVALENT = [
  "daemon",
  ...["--site", "crostini"],
  ...["--listen", "vsock:any:8890"],
  ...["--host", "vsock:host:7778"],
  ...["--state", "/mnt/stateful"],
  ...["--shared", "/mnt/shared"],
  ...["--log", "syslog"],
];

/**
 * Translates the command line of ChromiumOS's daemon into ours, and returns any other as it is. Its flags follow the
 * rules of Go: one dash or two, the value after `=` or as the next argument. `-feature` may be repeated, and is also
 * accepted after `daemon`. Unknown flags are passed on, and rejected later. Throws `invalid` without `-lxd_subnet`, as
 * the original does not start without it.
 */
export function readOriginalCommandLine(args: readonly string[]): readonly string[] {
  if (args[0] === "daemon") return ["daemon", ...translate(args.slice(1))];
  if (!args[0] || !translateFlag(args[0])) return args;
  const translated = translate(args);
  if (!translated.includes("--lxd-subnet")) {
    throw new TremplinError(
      "invalid",
      "the address of the bridge is missing: use -lxd_subnet ADDRESS/PREFIX, for example 100.115.92.193/28",
    );
  }
  return [...EQUIVALENT, ...translated];
}

function translate(args: readonly string[]): string[] {
  return args.flatMap((arg) => translateFlag(arg) ?? [arg]);
}

/** A flag of the original as ours, with its value if that follows `=`; undefined for anything else. */
function translateFlag(arg: string): string[] | undefined {
  const match = /^--?(lxd_subnet|feature)(?:=(.*))?$/s.exec(arg);
  if (!match) return undefined;
  const name = match[1] === "feature" ? "--feature" : "--lxd-subnet";
  return match[2] === undefined ? [name] : [name, match[2]];
}

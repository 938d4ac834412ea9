import type { Release } from "./releases.ts";

/**
 * Makes every program of an upgrade run non-interactively. The debconf frontend is not enough: dpkg, ucf and other
 * tools ask questions of their own.
 */
export const nonInteractiveEnvironment: Readonly<Record<string, string>> = {
  DEBIAN_FRONTEND: "noninteractive",
  DEBCONF_NONINTERACTIVE_SEEN: "true",
  DEBCONF_NOWARNINGS: "yes",
  UCF_FORCE_CONFFOLD: "1",
  APT_LISTCHANGES_FRONTEND: "none",
  APT_LISTBUGS_FRONTEND: "none",
  NEEDRESTART_MODE: "l",
  NEEDRESTART_SUSPEND: "1",
  TERM: "dumb",
  LC_ALL: "C.UTF-8",
  HOME: "/root",
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
};

/** Where apt writes status lines (see parseStatusLine): standard error, under another number. */
const STATUS_FD = 3;

/** Apt ignores settings that it does not know, so they need no version check. */
const SETTINGS = [
  `APT::Status-Fd=${STATUS_FD}`,
  // Keep configuration files that were changed; replace the others.
  "Dpkg::Options::=--force-confdef",
  "Dpkg::Options::=--force-confold",
  // Safe: after a crash of the machine the container is rolled back, and the verification ends with a sync.
  "Dpkg::Options::=--force-unsafe-io",
  // With a pty apt would expect a terminal.
  "Dpkg::Use-Pty=0",
  // Only newer versions could wait, and only for one of the locks: see package-program.ts.
  "DPkg::Lock::Timeout=0",
  "Acquire::Retries=3",
  // The suite and the label of a release change when it becomes oldstable.
  "Acquire::AllowReleaseInfoChange=true",
  "APT::Update::Error-Mode=any",
  "APT::Get::Show-Upgraded=false",
  // A person's settings that would keep the old release, or make apt only pretend.
  "APT::Default-Release=",
  "APT::Get::Simulate=false",
  "APT::Get::Download-Only=false",
  "APT::Get::Trivial-Only=false",
  "APT::Get::Print-URIs=false",
  "APT::Get::Remove=true",
  "APT::Get::Upgrade=true",
  "APT::Get::Upgrade-Allow-New=false",
];

/** Makes apt read without the locks, for commands that only look. */
export const NO_LOCKS = ["-o", "Debug::NoLocking=true"];

/** A non-interactive apt-get command. `release`: the one in the apt sources. */
export function aptGet(release: Release, ...args: readonly string[]): readonly string[] {
  return withStatusFd(["apt-get", "--quiet", "--assume-yes", ...settingOptions(release), ...args]);
}

/** An apt-get command that only prints what it would do. */
export function aptGetSimulation(release: Release, ...args: readonly string[]): readonly string[] {
  // A second safeguard: apt only prints the dpkg commands.
  const harmless = ["-o", "Debug::pkgDPkgPM=true", ...NO_LOCKS];
  return withStatusFd([
    "apt-get",
    "--quiet",
    "--assume-no",
    ...settingOptions(release),
    ...harmless,
    ...args,
  ]);
}

/** An apt-get command that only says what it would do, and fails if it would fail without a person to ask. */
export function aptGetTrial(release: Release, ...args: readonly string[]): readonly string[] {
  // After the settings, one of which turns it off.
  const trial = ["-o", "APT::Get::Assume-Yes=true", ...NO_LOCKS, "--simulate"];
  return ["apt-get", "--quiet", ...settingOptions(release), ...trial, ...args];
}

/** Whether the dependencies of all packages are met. */
export const aptGetCheck = ["apt-get", "--quiet", "-o", "APT::Default-Release=", ...NO_LOCKS, "check"];

function settingOptions({ archived }: Release): string[] {
  const all = archived ? [...SETTINGS, "Acquire::Check-Valid-Until=false"] : SETTINGS;
  return all.flatMap((setting) => ["-o", setting]);
}

/** Configures packages that were unpacked but not configured. */
export const dpkgConfigure = ["dpkg", "--force-confdef", "--force-confold", "--configure", "--pending"];

/** Apt closes its status descriptor in child processes, so it must not be standard error itself. */
function withStatusFd(command: readonly string[]): readonly string[] {
  return ["sh", "-c", `exec "$@" ${STATUS_FD}>&2`, "sh", ...command];
}

/** A line that apt writes to its status descriptor (APT::Status-Fd, apt's README.progress-reporting). */
export type AptStatus =
  | { readonly kind: "download" | "install"; readonly percent: number; readonly message: string }
  | { readonly kind: "error"; readonly message: string };

/**
 * Parses `dlstatus:…:PERCENT:TEXT`, `pmstatus:PACKAGE:PERCENT:TEXT` and `pmerror:PACKAGE:PERCENT:TEXT`. Undefined for
 * any other line, which is output; `nothing` for a status line that people do not need.
 */
export function parseStatusLine(line: string): AptStatus | "nothing" | undefined {
  const found = /^(dlstatus|pmstatus|pmerror|pmconffile|media-change):([^:]*):([0-9.]{1,20}):(.*)$/.exec(
    line,
  );
  if (!found) return undefined;
  const [, word, subject, number, message = ""] = found;
  if (word === "pmerror") return { kind: "error", message: `${subject}: ${message}` };
  const percent = Math.min(100, Number(number));
  if ((word !== "dlstatus" && word !== "pmstatus") || Number.isNaN(percent)) return "nothing";
  return { kind: word === "dlstatus" ? "download" : "install", percent, message };
}

import type { Release } from "./releases.ts";

/**
 * What keeps every program of an upgrade from asking anybody. The frontend alone does not: questions about changed
 * configuration files are dpkg's and ucf's own, and other tools ask on their own account (anchors.md 0).
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

/** Where apt writes what it is at, in the form of status-line.ts: standard error, under another number. */
const STATUS_FD = 3;

/** An old apt leaves alone the settings that it does not know yet, so they need no version check. */
const SETTINGS = [
  `APT::Status-Fd=${STATUS_FD}`,
  // A changed configuration file stays as it is; where it is not changed the new one comes.
  "Dpkg::Options::=--force-confdef",
  "Dpkg::Options::=--force-confold",
  // What a crash of the machine would break is put back to the snapshot anyway; the proof ends with a sync.
  "Dpkg::Options::=--force-unsafe-io",
  // Without it apt would want a terminal, and stop when it is told to wait for one.
  "Dpkg::Use-Pty=0",
  "DPkg::Lock::Timeout=300",
  "Acquire::Retries=3",
  // Releases that grow old change their name and their labels.
  "Acquire::AllowReleaseInfoChange=true",
  "APT::Update::Error-Mode=any",
  "APT::Get::Show-Upgraded=false",
];

/** The words of a command line of apt-get that asks nothing. `release` is the one that its sources name. */
export function aptGet(release: Release, ...words: readonly string[]): readonly string[] {
  return withStatusFd(["apt-get", "--quiet", "--assume-yes", ...settingOptions(release), ...words]);
}

/** The same for a look only: apt says what it would do, and answers its own question with no. */
export function aptGetSimulation(release: Release, ...words: readonly string[]): readonly string[] {
  // Should it ever mean to install all the same, it only prints what it would have dpkg do.
  const harmless = ["-o", "Debug::pkgDPkgPM=true"];
  return withStatusFd([
    "apt-get",
    "--quiet",
    "--assume-no",
    ...settingOptions(release),
    ...harmless,
    ...words,
  ]);
}

function settingOptions({ archived }: Release): string[] {
  const all = archived ? [...SETTINGS, "Acquire::Check-Valid-Until=false"] : SETTINGS;
  return all.flatMap((setting) => ["-o", setting]);
}

/** Repairs what was left half configured, as far as dpkg can by itself. */
export const dpkgConfigure = ["dpkg", "--force-confdef", "--force-confold", "--configure", "--pending"];

/** Apt closes the descriptor of its status in its children, so it must not be standard error itself. */
function withStatusFd(command: readonly string[]): readonly string[] {
  return ["sh", "-c", `exec "$@" ${STATUS_FD}>&2`, "sh", ...command];
}

/** What apt says on its status descriptor (APT::Status-Fd, apt's README.progress-reporting). */
export type AptStatus =
  | { readonly kind: "download" | "install"; readonly percent: number; readonly message: string }
  | { readonly kind: "error"; readonly message: string };

/**
 * Reads one line: `dlstatus:…:PERCENT:WORDS`, `pmstatus:PACKAGE:PERCENT:WORDS`, `pmerror:PACKAGE:PERCENT:WORDS`.
 * Undefined for all else, which is a line of output; `nothing` for a status that says nothing to a person.
 */
export function parseStatusLine(line: string): AptStatus | "nothing" | undefined {
  const found = /^(dlstatus|pmstatus|pmerror|pmconffile|media-change):([^:]*):([0-9.]{1,20}):(.*)$/.exec(
    line,
  );
  if (!found) return undefined;
  const [, word, subject, number, words = ""] = found;
  if (word === "pmerror") return { kind: "error", message: `${subject}: ${words}` };
  const percent = Math.min(100, Number(number));
  if ((word !== "dlstatus" && word !== "pmstatus") || Number.isNaN(percent)) return "nothing";
  return { kind: word === "dlstatus" ? "download" : "install", percent, message: words };
}

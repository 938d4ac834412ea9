import { TremplinError } from "../../base/tremplin-error.ts";
import { aptGetCheck } from "./apt.ts";
import type { ContainerExec } from "./container-exec.ts";

/**
 * The packages that dpkg complains about: those that are not fully installed. Lists of files or sums that are missing
 * do not count, because nothing fails on them. Throws `failed` where dpkg itself does not work.
 */
export async function readBrokenPackages(exec: ContainerExec): Promise<Set<string>> {
  const { exitCode, stdout } = await exec.capture(["dpkg", "--audit"]);
  if (exitCode === 126 || exitCode === 127) {
    throw new TremplinError("failed", "it has no working dpkg, so it cannot be upgraded");
  }
  return new Set(parseAudit(stdout));
}

/** Parses `dpkg --audit`: headings, and below each one its packages, indented. */
export function parseAudit(text: string): string[] {
  const found: string[] = [];
  let counts = true;
  let isHeading = false;
  for (const line of text.split("\n")) {
    const name = /^ (\S+)/.exec(line)?.[1];
    if (name === undefined) {
      if (!isHeading) counts = true;
      isHeading = line !== "";
      if (/are missing the (md5sums|list) control file/.test(line)) counts = false;
    } else {
      isHeading = false;
      if (counts) found.push(name.replace(/:.*/, ""));
    }
  }
  return found;
}

/** What apt says about dependencies that are not met; undefined if all are. */
export async function readUnmetDependencies(exec: ContainerExec): Promise<string | undefined> {
  const { exitCode, stderr } = await exec.capture(aptGetCheck);
  return exitCode === 0 ? undefined : stderr.trim() || `exit code ${exitCode}`;
}

/** The names of all packages that are installed at least in part. */
export async function readInstalledPackages(exec: ContainerExec): Promise<Set<string>> {
  const format = `--showformat=\${db:Status-Abbrev} \${binary:Package}\n`;
  const { stdout } = await exec.capture(["dpkg-query", "--show", format]);
  return new Set(parseInstalled(stdout));
}

/** Parses lines `ii  NAME`, whose second letter is the state: `n` not installed, `c` only its configuration. */
export function parseInstalled(text: string): string[] {
  return [...text.matchAll(/^.([^nc ]). +(\S+)$/gm)].map((line) => (line[2] ?? "").replace(/:.*/, ""));
}

/** Those of the packages that are there no more. */
export function missingFrom(before: ReadonlySet<string>, now: ReadonlySet<string>): string[] {
  return [...before].filter((name) => !now.has(name));
}

// The version of a build: that of package.json for a tagged commit, or without git; otherwise with the time of the commit
// and its id, so that a later state has a higher one: 0.1.0+git20261130.063530.4dc545d8. `.changed`: not as committed.
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";

/** Undefined where git fails: not installed, or no checkout. */
function git(...words) {
  try {
    return execFileSync("git", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

export function buildVersion() {
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  const id = git("rev-parse", "--short=8", "HEAD");
  if (id === undefined) return version;
  const changed = git("status", "--porcelain", "--untracked-files=no") ? ".changed" : "";
  if (!changed && git("tag", "--points-at", "HEAD", "--list", `v${version}`)) return version;
  const [, date, time] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)/.exec(
    new Date(commitTime() * 1000).toISOString(),
  );
  return `${version}+git${date.replaceAll("-", "")}.${time.replaceAll(":", "")}.${id}${changed}`;
}

/** When the last commit was made, in seconds since 1970: the time of all files of a reproducible package. */
export function commitTime() {
  const time = git("log", "-1", "--format=%ct");
  return time === undefined ? Math.floor(statSync("package.json").mtimeMs / 1000) : Number(time);
}

if (process.argv[1]?.endsWith("build-version.mjs")) {
  process.stdout.write(`${process.argv[2] === "--time" ? commitTime() : buildVersion()}\n`);
}

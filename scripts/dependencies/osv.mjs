// Records of vulnerabilities in the form of https://ossf.github.io/osv-schema/.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lockEntries } from "./lock-entries.mjs";
import { NothingLookedAt } from "./nothing-looked-at.mjs";

/**
 * The records below a folder that are about packages of a parsed package-lock.json, and what was read. Throws
 * NothingLookedAt where there are no records about npm.
 */
export function readRecords(folder, lock) {
  const records = globSync("**/*.json", { cwd: folder })
    .map((file) => parseRecord(readFileSync(join(folder, file), "utf8")))
    .filter((record) => record && affectedPackages(record).length > 0);
  if (records.length === 0) throw new NothingLookedAt(`${folder} has no records about packages of npm`);
  const found = lockEntries(lock).flatMap((entry) =>
    records
      .filter((record) => isAbout(record, entry))
      .map(({ id, summary = "", database_specific: more }) => {
        const severity = more?.severity?.toLowerCase();
        return { name: `${entry.name} ${entry.version}`, severity, title: summary, url: id };
      }),
  );
  const newest = records
    .map(({ modified = "" }) => modified.slice(0, 10))
    .sort()
    .at(-1);
  return {
    found,
    source: `${records.length} records about packages of npm, the newest of ${newest || "an unknown day"}`,
  };
}

/** Undefined for a file that is something else. */
function parseRecord(text) {
  try {
    const record = JSON.parse(text);
    return typeof record?.id === "string" && Array.isArray(record.affected) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a record names this version of an npm package. Withdrawn records name none. */
export function isAbout(record, { name, version }) {
  if (record.withdrawn) return false;
  return affectedPackages(record)
    .filter((affected) => affected.package.name === name)
    .some(
      ({ ranges = [], versions = [] }) =>
        versions.includes(version) || ranges.some((range) => contains(range, version)),
    );
}

/** What a record says of packages of npm. */
export function affectedPackages({ affected = [] }) {
  return affected.filter((each) => each.package?.ecosystem === "npm");
}

function contains({ type, events = [] }, version) {
  if (type === "GIT") return false;
  const changes = events.flatMap(Object.entries).filter(([kind]) => kind !== "limit");
  changes.sort(([, a], [, b]) => compareVersions(a, b));
  return changes.reduce((inside, [kind, at]) => {
    const order = compareVersions(version, at);
    if (kind === "introduced") return inside || order >= 0;
    return inside && (kind === "fixed" ? order < 0 : order <= 0);
  }, false);
}

/** The order of two versions by https://semver.org/#spec-item-11. "0" is before all. */
export function compareVersions(a, b) {
  if (a === "0" || b === "0") return Number(b === "0") - Number(a === "0");
  const [one, other] = [a, b].map((text) => /^v?([^-+]*)(?:-([^+]*))?/.exec(text));
  const numbers = comparePieces(one[1].split("."), other[1].split("."));
  if (numbers !== 0) return numbers;
  if (one[2] === undefined || other[2] === undefined)
    return Number(one[2] === undefined) - Number(other[2] === undefined);
  return comparePieces(one[2].split("."), other[2].split("."));
}

function comparePieces(a, b) {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const order = comparePiece(a[index], b[index]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers by value and before words. What is missing is before all. */
function comparePiece(a, b) {
  if (a === undefined || b === undefined) return Number(b === undefined) - Number(a === undefined);
  const [isNumber, otherIsNumber] = [a, b].map((piece) => /^\d+$/.test(piece));
  if (isNumber && otherIsNumber) return Math.sign(Number(a) - Number(b));
  if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}

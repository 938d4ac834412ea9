/**
 * Whether a version of this program is an earlier one than another (scripts/build-version.mjs): by its numbers, then by
 * the time of the commit, where a release comes after all commits before it. False for a text that is no version.
 */
export function isOlder(version: string, other: string): boolean {
  const [own, others] = [partsOf(version), partsOf(other)];
  if (!own || !others) return false;
  const index = own.findIndex((part, at) => part !== others[at]);
  return index >= 0 && (own[index] as number) < (others[index] as number);
}

function partsOf(version: string): readonly number[] | undefined {
  const found = /^(\d+)\.(\d+)\.(\d+)(?:\+git(\d{8})\.(\d{6})\.[0-9a-f]+(?:\.changed)?)?$/.exec(version);
  if (!found) return undefined;
  const RELEASE = Number.POSITIVE_INFINITY;
  return found.slice(1).map((part) => (part === undefined ? RELEASE : Number(part)));
}

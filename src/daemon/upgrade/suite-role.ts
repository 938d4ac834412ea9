import type { SourceOwners } from "../mirrors/classify-sources.ts";
import { type Release, releases } from "./releases.ts";

/** The suites of a release that an upgrade uses. */
export type Role = "main" | "updates" | "security";

/** Not testing and unstable: what they become at their next release is not for an upgrade to decide. */
const RELEASE_NAMES = new Set([
  ...releases.map(({ codename }) => codename),
  ...["stable", "oldstable", "oldoldstable"],
]);

/** The role of a suite that an upgrade switches; undefined for others' suites, and for backports and the like. */
export function roleOf(owners: SourceOwners, uri: string, suite: string): Role | undefined {
  const owner = owners.ofSuite(uri, suite);
  if (owner.name !== "debian" || owner.suite.role === "other") return undefined;
  return RELEASE_NAMES.has(owner.suite.release) ? owner.suite.role : undefined;
}

/** The name of a suite of a release; undefined if the release has none. */
export function suiteOf({ codename, suites }: Release, role: Role): string | undefined {
  return role === "main" ? codename : suites[role];
}

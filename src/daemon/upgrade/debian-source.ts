import type { AptSource, AptSourceEditor } from "../guest/apt-source.ts";
import type { SourceOwners } from "../mirrors/classify-sources.ts";
import type { ReleasePlaces } from "./release-places.ts";
import type { Release } from "./releases.ts";
import { roleOf, suiteOf } from "./suite-role.ts";

/** Whether an entry provides binary packages of Debian's main suite. */
export function isMainSource(source: AptSource, owners: SourceOwners): boolean {
  const { enabled, types, uris, suites } = source;
  return (
    enabled &&
    types.includes("deb") &&
    owners.of(source).name === "debian" &&
    suites.some((suite) => roleOf(owners, uris[0] ?? "", suite) === "main")
  );
}

/**
 * Edits entries for another release: switches the suites of Debian's, and disables all others, because their packages
 * for the old release may block the upgrade.
 */
export function switchSourcesTo(
  release: Release,
  owners: SourceOwners,
  places: ReleasePlaces,
): AptSourceEditor {
  return (source) => {
    if (owners.of(source).name !== "debian") return { disable: true };
    const [first = ""] = source.uris;
    return {
      suite: (suite) => {
        const role = roleOf(owners, first, suite);
        return role && places.has(first, release, role) ? suiteOf(release, role) : undefined;
      },
      uri: (uri) => places.uriOf(uri, release),
    };
  };
}

import type { AptSource, AptSourceEditor } from "../guest/apt-source.ts";
import type { AptSystem } from "../mirrors/apt-system.ts";
import { classifySources, type SourceOwners } from "../mirrors/classify-sources.ts";
import { isMainSource, switchSourcesTo } from "./debian-source.ts";
import { findReleasePlaces, type ReleasePlaces } from "./release-places.ts";
import { type Release, releaseName, type UpgradePath } from "./releases.ts";
import { formatSource, plainUri } from "./source-files.ts";
import { roleOf } from "./suite-role.ts";

/** A container may have thousands of sources. */
const MAX_NOTES = 30;

/** What an upgrade does with a container's apt sources. */
export interface SourcePlan {
  /** The path, in which `archived` is set for each release that only an archive has. */
  readonly path: UpgradePath;
  /** Sentences. */
  readonly notes: readonly string[];
  /** The reasons, as sentences, why there can be no upgrade with these sources. */
  readonly problems: readonly string[];
  /** The edits of the original sources for a release of the path. A source that is not in the plan is disabled. */
  readonly switchTo: (release: Release) => AptSourceEditor;
}

/** Finds out whose the sources are and where the releases of the path are. Changes nothing. */
export async function planSources(
  system: AptSystem,
  sources: readonly AptSource[],
  path: UpgradePath,
): Promise<SourcePlan> {
  const owners = await classifySources(sources, system);
  const releases = [path.from, ...path.releases];
  const places = await findReleasePlaces(system, sources, owners, releases);
  const marked = releases.map((release) => {
    const isMoved = sources.some(({ uris }) => uris.some((uri) => places.archiveOf(uri, release)));
    return isMoved ? { ...release, archived: true } : release;
  });
  const [from = path.from, ...rest] = marked;
  return {
    path: { from, releases: rest, to: rest.at(-1) ?? path.to },
    notes: [...ownerNotes(sources, owners), ...placeNotes(sources, places, releases)],
    problems: problemsOf(sources, owners, places, path),
    switchTo: (release) => switchSourcesTo(release, owners, places),
  };
}

function ownerNotes(sources: readonly AptSource[], owners: SourceOwners): string[] {
  const notes = sources.flatMap((source) => {
    const owner = owners.of(source);
    const text = formatSource(source);
    if (owner.name === "other") {
      const origin = owner.origin === "" ? "" : `, it is from "${owner.origin}",`;
      return [`this apt source is not Debian's${origin} and will be disabled: ${text}`];
    }
    if (owner.name === "unknown") {
      return [`it is unknown whose this apt source is (${owner.reason}); it will be disabled: ${text}`];
    }
    const left = source.suites.filter((suite) => !roleOf(owners, source.uris[0] ?? "", suite));
    if (left.length === 0) return [];
    return [`an upgrade has no place for ${plainUri(left.join(", "))}, so this will be left out of: ${text}`];
  });
  const more = notes.length - MAX_NOTES;
  return more > 0 ? [...notes.slice(0, MAX_NOTES), `and ${more} more apt sources like these`] : notes;
}

function placeNotes(
  sources: readonly AptSource[],
  places: ReleasePlaces,
  releases: readonly Release[],
): string[] {
  const notes = sources
    .flatMap(({ uris }) => uris)
    .flatMap((uri) =>
      releases.flatMap((release) => {
        const archive = places.archiveOf(uri, release);
        const from = `${plainUri(uri)} no longer has ${releaseName(release)}`;
        return archive ? [`${from}: it will be fetched from ${plainUri(archive)}`] : [];
      }),
    );
  return [...new Set(notes)];
}

function problemsOf(
  sources: readonly AptSource[],
  owners: SourceOwners,
  places: ReleasePlaces,
  path: UpgradePath,
): string[] {
  const main = sources.filter((source) => isMainSource(source, owners));
  if (main.length === 0) {
    const silent = sources.flatMap((source) => {
      const owner = owners.of(source);
      return owner.name === "unknown" ? [`${formatSource(source)} (${owner.reason})`] : [];
    });
    const seen =
      silent.length === 0 ? "" : `; it is unknown whose these are: ${silent.slice(0, 3).join(", ")}`;
    return [
      `its apt sources have no mirror of ${releaseName(path.from)}: add one in /etc/apt/sources.list.d and try again${seen}`,
    ];
  }
  return path.releases.flatMap((release) => {
    const early = main.flatMap(({ uris }) => uris).find((uri) => places.isTesting(uri, release));
    if (early === undefined) return [];
    return [
      `${plainUri(early)} has ${releaseName(release)} only as testing, before its release: use another mirror`,
    ];
  });
}

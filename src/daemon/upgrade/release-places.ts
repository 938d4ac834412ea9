import type { AptSource } from "../guest/apt-source.ts";
import type { AptSystem } from "../mirrors/apt-system.ts";
import { parseAptUri } from "../mirrors/apt-uri.ts";
import { type Answer, askReleaseFiles } from "../mirrors/ask-release-files.ts";
import { placeOf, type SourceOwners } from "../mirrors/classify-sources.ts";
import { ARCHIVE_HOST, DEFAULT_HOST, officialPlace } from "../mirrors/official-place.ts";
import type { Release } from "./releases.ts";
import { type Role, roleOf, suiteOf } from "./suite-role.ts";

type Answers = ReadonlyMap<string, Answer>;
const ROLES = ["main", "security", "updates"] as const;

/** A URI of Debian in a container's sources, with the suites that are used of it. */
interface UsedUri {
  readonly uri: string;
  readonly roles: readonly Role[];
}

/** Where a URI's release is now. */
interface Place {
  readonly uri: string;
  readonly isMoved: boolean;
  /** Suites that are not there. */
  readonly missing: ReadonlySet<Role>;
  /** Its Release file calls the release "testing". */
  readonly isTesting: boolean;
}

/** Where the releases of an upgrade are: at the mirrors that a container uses, or in an archive. */
export class ReleasePlaces {
  readonly #places: ReadonlyMap<string, Place>;

  constructor(places: ReadonlyMap<string, Place> = new Map()) {
    this.#places = places;
  }

  /** The URI at which a release is found in place of this one. */
  uriOf(uri: string, release: Release): string {
    return this.#find(uri, release)?.uri ?? preferredUri(uri, release);
  }

  /** False for a suite that an archive does not have. */
  has(uri: string, release: Release, role: Role): boolean {
    return this.#find(uri, release)?.missing.has(role) !== true;
  }

  /** The archive that has a release which its mirror has no longer; undefined if it has not moved. */
  archiveOf(uri: string, release: Release): string | undefined {
    const found = this.#find(uri, release);
    return found?.isMoved ? found.uri : undefined;
  }

  /** Whether a place has only what was to become the release. */
  isTesting(uri: string, release: Release): boolean {
    return this.#find(uri, release)?.isTesting === true;
  }

  #find(uri: string, { codename }: Release): Place | undefined {
    return this.#places.get(`${codename} ${uri}`);
  }
}

/** Asks the mirrors for the releases, and archives for those that the mirrors do not have. */
export async function findReleasePlaces(
  system: AptSystem,
  sources: readonly AptSource[],
  owners: SourceOwners,
  releases: readonly Release[],
): Promise<ReleasePlaces> {
  const wanted = usedUris(sources, owners).flatMap((used) =>
    releases.map((release) => {
      const preferred = preferredUri(used.uri, release);
      const [asked = preferred] = owners.mirrorsOf(preferred);
      return { used, release, preferred, place: firstPlace(asked, release, used.roles) };
    }),
  );
  const answers = await askReleaseFiles(
    system,
    wanted.map(({ place }) => place),
  );
  const gone = wanted.filter(({ place }) => answers.get(place)?.is === "missing");
  const archives = await askReleaseFiles(
    system,
    gone.flatMap(({ used, release }) =>
      archiveUris(used).flatMap((uri) => placesOf(uri, release, used.roles).map(({ place }) => place)),
    ),
  );
  const places = new Map<string, Place>();
  for (const { used, release, preferred, place } of wanted) {
    const archive = answers.get(place)?.is === "missing" ? findArchive(used, release, archives) : undefined;
    const answer = answers.get(place);
    const isTesting = answer?.is === "release" && answer.release.suite === "testing";
    const unmoved = { uri: preferred, isMoved: false, missing: new Set<Role>(), isTesting };
    places.set(`${release.codename} ${used.uri}`, archive ?? unmoved);
  }
  return new ReleasePlaces(places);
}

function usedUris(sources: readonly AptSource[], owners: SourceOwners): UsedUri[] {
  const roles = new Map<string, Set<Role>>();
  for (const source of sources) {
    if (owners.of(source).name !== "debian") continue;
    for (const uri of source.uris) {
      const found = roles.get(uri) ?? new Set();
      for (const suite of source.suites) {
        const role = roleOf(owners, uri, suite);
        if (role) found.add(role);
      }
      if (found.size > 0) roles.set(uri, found);
    }
  }
  return [...roles].map(([uri, found]) => ({ uri, roles: ROLES.filter((role) => found.has(role)) }));
}

function findArchive(used: UsedUri, release: Release, answers: Answers): Place | undefined {
  for (const uri of archiveUris(used)) {
    const places = placesOf(uri, release, used.roles);
    if (answers.get(places[0]?.place ?? "")?.is !== "release") continue;
    const missing = places
      .filter(({ place }) => answers.get(place)?.is === "missing")
      .map(({ role }) => role);
    return { uri, isMoved: true, missing: new Set(missing), isTesting: false };
  }
  return undefined;
}

function placesOf(uri: string, release: Release, roles: readonly Role[]): { role: Role; place: string }[] {
  return roles.flatMap((role) => {
    const suite = suiteOf(release, role);
    return suite === undefined ? [] : [{ role, place: placeOf(uri, suite) }];
  });
}

/** The place whose answer decides for all suites of a URI. */
function firstPlace(uri: string, release: Release, roles: readonly Role[]): string {
  return placesOf(uri, release, roles)[0]?.place ?? placeOf(uri, release.codename);
}

/** The archive of the same mirror, then Debian's. */
function archiveUris({ uri, roles }: UsedUri): string[] {
  const folder = roles.includes("main") ? "debian" : "debian-security";
  const { scheme, credentials, authority, path } = parseAptUri(uri);
  const parent = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
  const own = `${scheme}//${credentials}${authority}${parent}/debian-archive/${folder}`;
  const isServer = /^(tor\+)?https?:$/.test(scheme);
  return [...(isServer ? [own] : []), archiveUri(uri, folder)];
}

/** The URI at which a release is expected. Only URIs of Debian's own servers differ by release. */
function preferredUri(uri: string, release: Release): string {
  const official = officialPlace(uri);
  if (!official || official.isSnapshot) return uri;
  const folder = official.content === "security" ? "debian-security" : "debian";
  if (release.archived) return archiveUri(uri, folder);
  const { scheme, path } = parseAptUri(uri);
  if (official.host === ARCHIVE_HOST || path.startsWith("/debian-archive/")) {
    return archiveUri(uri, folder).replace(ARCHIVE_HOST, DEFAULT_HOST);
  }
  // The root of this server has only old suite names.
  return official.host === "security.debian.org" && path === ""
    ? `${scheme}//${official.host}/${folder}`
    : uri;
}

/** Not by https, which old releases cannot use without another package. */
function archiveUri(uri: string, folder: string): string {
  const scheme = /^tor\+/i.test(uri) ? "tor+http" : "http";
  return `${scheme}://${ARCHIVE_HOST}/${folder}`;
}

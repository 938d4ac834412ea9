import type { AptSource } from "../guest/apt-source.ts";
import type { AptSystem } from "./apt-system.ts";
import { withoutSlashesAtEnd } from "./apt-uri.ts";
import { askReleaseFiles } from "./ask-release-files.ts";
import { parseDebianSuite } from "./debian-suite.ts";
import { expandMirrorList } from "./mirror-list.ts";
import type { ReleaseFile } from "./release-file.ts";
import { knownOwner, ownerOfAnswer, type SourceOwner } from "./source-owner.ts";

/** A system is not asked for the mirrors of more lists. */
const MAX_LISTS = 10;

const NEVER_ASKED: SourceOwner = { name: "unknown", reason: "it was added later" };
const NO_MIRROR: SourceOwner = { name: "unknown", reason: "its list of mirrors is empty or cannot be read" };

/** Whose the apt sources of a system are. */
export class SourceOwners {
  readonly #owners: ReadonlyMap<string, SourceOwner>;
  readonly #mirrors: ReadonlyMap<string, readonly string[]>;

  constructor(
    owners: ReadonlyMap<string, SourceOwner>,
    mirrors: ReadonlyMap<string, readonly string[]> = new Map(),
  ) {
    this.#owners = owners;
    this.#mirrors = mirrors;
  }

  /** The owner of one suite at one URI. */
  ofSuite(uri: string, suite: string): SourceOwner {
    return knownOwner(uri, suite) ?? this.#owners.get(placeOf(uri, suite)) ?? NEVER_ASKED;
  }

  /** The owner of an entry: Debian only if all its URIs and suites are Debian's. */
  of({ uris, suites }: AptSource): SourceOwner {
    const owners = uris.flatMap((uri) => suites.map((suite) => this.ofSuite(uri, suite)));
    const stranger =
      owners.find(({ name }) => name === "other") ?? owners.find(({ name }) => name === "unknown");
    return stranger ?? owners[0] ?? NEVER_ASKED;
  }

  /** The mirrors that apt uses for a URI: those of its list, else itself. */
  mirrorsOf(uri: string): readonly string[] {
    return this.#mirrors.get(uri) ?? [uri];
  }
}

/**
 * Finds out whose apt sources are: Debian's own servers by their names, others by what their Release file says, which
 * the system's apt has read before, or reads now. Never throws because of a source.
 */
export async function classifySources(
  sources: readonly AptSource[],
  system: AptSystem,
): Promise<SourceOwners> {
  const places = sources.flatMap(({ uris, suites }) =>
    uris.flatMap((uri) => suites.map((suite) => ({ uri, suite }))),
  );
  const mirrors = await expandLists(
    places.map(({ uri }) => uri),
    system,
  );
  const owners = new Map<string, SourceOwner>();
  const open = places.filter(({ uri, suite }) => !knownOwner(uri, suite));
  if (open.length === 0) return new SourceOwners(owners, mirrors);
  const read = parseIndexTargets(await system.run(indexTargets));
  const asked: { place: string; at: string }[] = [];
  for (const { uri, suite } of open) {
    const place = placeOf(uri, suite);
    const release = read.get(place);
    const [mirror] = mirrors.get(uri) ?? [uri];
    const owner = release
      ? ownerOfAnswer({ is: "release", release })
      : mirror === undefined
        ? NO_MIRROR
        : knownOwner(mirror, suite);
    if (owner) owners.set(place, owner);
    else if (mirror !== undefined) asked.push({ place, at: placeOf(mirror, suite) });
  }
  const answers = await askReleaseFiles(
    system,
    asked.map(({ at }) => at),
  );
  for (const { place, at } of asked) {
    const answer = answers.get(at);
    if (answer) owners.set(place, ownerOfAnswer(answer));
  }
  return new SourceOwners(withSiblings(places, owners), mirrors);
}

/**
 * A repository belongs to one owner: a suite without an answer, such as backports that have left the mirrors, is
 * Debian's if the other suites at its URI are.
 */
function withSiblings(
  places: readonly { uri: string; suite: string }[],
  owners: ReadonlyMap<string, SourceOwner>,
): ReadonlyMap<string, SourceOwner> {
  const byUri = Map.groupBy(places, ({ uri }) => withoutSlashesAtEnd(uri));
  const completed = new Map(owners);
  for (const siblings of byUri.values()) {
    const names = new Set(siblings.map(({ uri, suite }) => owners.get(placeOf(uri, suite))?.name));
    if (!names.has("debian") || names.has("other")) continue;
    for (const { uri, suite } of siblings) {
      const place = placeOf(uri, suite);
      if (owners.get(place)?.name !== "unknown") continue;
      completed.set(place, { name: "debian", suite: parseDebianSuite(suite) });
    }
  }
  return completed;
}

/** The folder with the Release file of a suite. */
export function placeOf(uri: string, suite: string): string {
  return `${withoutSlashesAtEnd(uri)}/dists/${withoutSlashesAtEnd(suite)}`;
}

async function expandLists(
  uris: readonly string[],
  system: AptSystem,
): Promise<Map<string, readonly string[]>> {
  const lists = [...new Set(uris)].filter((uri) => /^mirror[+:]/i.test(uri));
  const mirrors = new Map<string, readonly string[]>();
  for (const uri of lists) {
    mirrors.set(uri, mirrors.size < MAX_LISTS ? await expandMirrorList(system, uri) : []);
  }
  return mirrors;
}

const FIELDS = ["REPO_URI", "RELEASE", "ORIGIN", "LABEL", "SUITE", "CODENAME"];
/** Prints what apt has read of the Release files of its sources, without a download. */
const indexTargets = [
  ...[
    "env",
    "LC_ALL=C",
    "apt-get",
    "indextargets",
    "--format",
    FIELDS.map((name) => `$(${name})`).join("\t"),
  ],
  "Created-By: Packages",
];

/** What apt knows of its sources, by place. */
export function parseIndexTargets(output: string): ReadonlyMap<string, ReleaseFile> {
  const found = new Map<string, ReleaseFile>();
  for (const line of output.split("\n")) {
    // Apt leaves the name of a field that a Release file does not have.
    const values = line.split("\t").map((value) => (/^\$\([A-Z_]+\)$/.test(value) ? "" : value));
    const [uri = "", name = "", origin = "", label = "", suite = "", codename = ""] = values;
    if (values.length !== FIELDS.length || uri === "" || origin + label + suite + codename === "") continue;
    found.set(placeOf(uri, name), { origin, label, suite, codename });
  }
  return found;
}

import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AptSource } from "../guest/apt-source.ts";
import { readAptSources } from "../guest/apt-sources.ts";
import { debianReleases } from "./debian-releases.ts";

/** The URIs of Debian's packages and of their security updates. */
export interface DebianMirror {
  readonly main: string;
  readonly security: string;
}

/** The key ring for all releases, on this machine and in containers. */
export const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** The mirror that this machine itself uses, so that containers use a nearby mirror too. */
export async function machineMirror(aptFolder = "/etc/apt"): Promise<DebianMirror | undefined> {
  const files = glob(["sources.list", "sources.list.d/*.{list,sources}"], { cwd: aptFolder });
  const paths = (await Array.fromAsync(files)).sort();
  const sources = paths.map(async (path) => readAptSources(path, await readFile(join(aptFolder, path))));
  return findDebianMirror((await Promise.all(sources)).flat());
}

/**
 * Finds a Debian mirror among apt sources: one with `main` of a Debian release. Other vendors use the same suite
 * names, so a source that also has the -updates suite is preferred. Undefined if there is none.
 */
export function findDebianMirror(sources: readonly AptSource[]): DebianMirror | undefined {
  const places = sources
    .filter(
      ({ enabled, types, components }) => enabled && types.includes("deb") && components.includes("main"),
    )
    .flatMap(({ uris, suites }) =>
      uris.flatMap((uri) => suites.map((suite) => ({ uri: uri.replace(/\/+$/, ""), suite }))),
    );
  const has = (uri: string, suite: string): boolean =>
    places.some((place) => place.uri === uri && place.suite === suite);
  const releases = places.filter(({ suite }) => RELEASE_NAMES.has(suite));
  const main = releases.find(({ uri, suite }) => has(uri, `${suite}-updates`)) ?? releases[0];
  if (!main) return undefined;
  const security = places.find(({ suite }) => SECURITY_SUITES.has(suite));
  return { main: main.uri, security: security?.uri ?? `${main.uri}-security` };
}

const RELEASE_NAMES = new Set([
  "stable",
  "oldstable",
  "testing",
  ...debianReleases.map((each) => each.codename),
]);
const SECURITY_SUITES = new Set([...RELEASE_NAMES].map((name) => `${name}-security`));

/** The apt sources of a container with this release. */
export function releaseSources(codename: string, mirror: DebianMirror): string {
  const stanza = (uri: string, suites: string): string =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: ${debianKeyring}\n`;
  return [
    stanza(mirror.main, `${codename} ${codename}-updates`),
    stanza(mirror.security, `${codename}-security`),
  ].join("\n");
}

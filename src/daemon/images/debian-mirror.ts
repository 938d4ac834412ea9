import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AptSource, parseOneLineSources, parseStanzaSources } from "./apt-sources.ts";
import { debianReleases } from "./debian-releases.ts";

/** Where Debian's packages and their security updates come from. */
export interface DebianMirror {
  readonly main: string;
  readonly security: string;
}

/** The one key ring that every release here is checked with, on this machine and in the container. */
export const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** The mirror that the machine itself uses, so that a local mirror or a proxy is used for containers too. */
export async function machineMirror(aptFolder = "/etc/apt"): Promise<DebianMirror | undefined> {
  const sources: AptSource[] = [];
  const paths = await Array.fromAsync(
    glob(["sources.list", "sources.list.d/*.{list,sources}"], { cwd: aptFolder }),
  );
  for (const path of paths.sort()) {
    const text = await readFile(join(aptFolder, path), "utf8");
    sources.push(...(path.endsWith(".sources") ? parseStanzaSources(text) : parseOneLineSources(text)));
  }
  return debianMirror(sources);
}

/**
 * Finds Debian among apt sources. Others offer packages under its codenames, and Ubuntu looks just like it, so a
 * source counts as Debian's when it names Debian's own key ring, or when it has a release of Debian together
 * with that release's -updates. Undefined when none does.
 */
export function debianMirror(sources: readonly AptSource[]): DebianMirror | undefined {
  const packages = sources.filter((source) => source.components.includes("main"));
  const has = (uri: string, suite: string): boolean =>
    packages.some((each) => each.uri === uri && each.suite === suite);
  const main = packages.find(
    ({ uri, suite, signedBy }) =>
      /^[a-z]+$/.test(suite) &&
      (isDebianKeyring(signedBy) || (debianNames.has(suite) && has(uri, `${suite}-updates`))),
  );
  if (!main) return undefined;
  const security = packages.find(({ suite }) => /^[a-z]+(-security|\/updates)$/.test(suite));
  return { main: main.uri, security: security?.uri ?? `${main.uri}-security` };
}

const debianNames = new Set([
  "stable",
  "oldstable",
  "testing",
  ...debianReleases.map((each) => each.codename),
]);

function isDebianKeyring(path: string): boolean {
  return path.startsWith("/usr/share/keyrings/debian-archive-keyring.");
}

/** The apt sources of a release on a mirror, as the container keeps them. */
export function releaseSources(codename: string, mirror: DebianMirror): string {
  const stanza = (uri: string, suites: string): string =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: ${debianKeyring}\n`;
  return [
    stanza(mirror.main, `${codename} ${codename}-updates`),
    stanza(mirror.security, `${codename}-security`),
  ].join("\n");
}

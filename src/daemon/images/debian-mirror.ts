import { withoutCredentials } from "../../base/without-credentials.ts";
import type { AptSystem } from "../mirrors/apt-system.ts";
import { parseAptUri, withoutSlashesAtEnd } from "../mirrors/apt-uri.ts";
import { type Answer, askReleaseFiles } from "../mirrors/ask-release-files.ts";
import { classifySources, placeOf } from "../mirrors/classify-sources.ts";
import { type DebianSuite, debianSuiteOf } from "../mirrors/debian-suite.ts";
import { ARCHIVE_HOST, DEFAULT_HOST, officialPlace } from "../mirrors/official-place.ts";
import { isPrivatePlace, type Resolve } from "../mirrors/private-place.ts";
import { readMachineSources } from "./machine-sources.ts";

/** Where the packages of one release are. */
export interface DebianMirror {
  readonly main: string;
  readonly security: string;
  /** Without the suite of updates where there is none. */
  readonly mainSuites: readonly string[];
  /** Only the archive has the release, and its files have expired. */
  readonly isArchived: boolean;
}

export interface DebianMirrors {
  /** For programs on this machine. A URI may have a password. */
  readonly build: DebianMirror;
  /** For the system that is built: without passwords and places that only this machine has. */
  readonly inside: DebianMirror;
}

/** The key ring for all releases, on this machine and in containers. */
export const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

const DEFAULT_MAIN = `http://${DEFAULT_HOST}/debian`;
const DEFAULT_SECURITY = `http://${DEFAULT_HOST}/debian-security`;
const ARCHIVE_MAIN = `http://${ARCHIVE_HOST}/debian`;
const ARCHIVE_SECURITY = `http://${ARCHIVE_HOST}/debian-security`;

export interface FindMirrorsOptions {
  readonly aptFolder?: string | undefined;
  readonly resolve?: Resolve;
}

/**
 * Finds the mirrors of a release: those in this machine's apt sources that have it, so that containers use a near one
 * too; else Debian's default place, or Debian's archive.
 */
export async function findMirrors(
  codename: string,
  machine: AptSystem,
  { aptFolder = "/etc/apt", resolve }: FindMirrorsOptions = {},
): Promise<DebianMirrors> {
  const own = await findDebianUris(machine, aptFolder);
  const mains = unique([...own, DEFAULT_MAIN, ARCHIVE_MAIN]);
  const securities = unique([
    ...own,
    ...own.map((uri) => `${uri}-security`),
    DEFAULT_SECURITY,
    ARCHIVE_SECURITY,
  ]);
  const answers = await askReleaseFiles(machine, [
    ...mains.flatMap((uri) => [placeOf(uri, codename), placeOf(uri, `${codename}-updates`)]),
    ...securities.map((uri) => placeOf(uri, `${codename}-security`)),
  ]);
  const choose = (isUsable: (uri: string) => boolean): DebianMirror => {
    const find = (uris: readonly string[], suite: string, role: Role) =>
      uris.filter(isUsable).find((uri) => has(uri, codename, role, answers.get(placeOf(uri, suite))));
    const main = find(mains, codename, "main") ?? DEFAULT_MAIN;
    const security = find(securities, `${codename}-security`, "security") ?? DEFAULT_SECURITY;
    const isArchived = main === ARCHIVE_MAIN;
    const hasUpdates = answers.get(placeOf(main, `${codename}-updates`))?.is !== "missing";
    const mainSuites = hasUpdates && !isArchived ? [codename, `${codename}-updates`] : [codename];
    return { main, security, mainSuites, isArchived };
  };
  const places = unique([...mains, ...securities]);
  const isHidden = await Promise.all(places.map((uri) => isPrivatePlace(uri, resolve)));
  const isPrivate = new Set(places.filter((_, index) => isHidden[index]));
  // A chroot does not have the files of this machine.
  return { build: choose((uri) => /^https?:/i.test(uri)), inside: choose((uri) => !isPrivate.has(uri)) };
}

/** The mirrors of Debian in the machine's apt sources, each also without its password. */
async function findDebianUris(machine: AptSystem, aptFolder: string): Promise<string[]> {
  const sources = await readMachineSources(aptFolder);
  const owners = await classifySources(sources, machine);
  return sources.flatMap(({ uris, suites }) =>
    uris
      .filter((uri) => suites.some((suite) => owners.ofSuite(uri, suite).name === "debian"))
      .flatMap((uri) => owners.mirrorsOf(uri))
      .map(withoutSlashesAtEnd)
      .flatMap((uri) => [uri, withoutCredentials(uri)]),
  );
}

type Role = DebianSuite["role"];

/** Whether a place has a release, by its answer. Debian's servers, except those for old packages, always do. */
function has(uri: string, codename: string, role: Role, answer: Answer | undefined): boolean {
  if (answer?.is === "release") {
    const suite = debianSuiteOf(answer.release);
    return suite?.release === codename && suite.role === role;
  }
  return answer?.is !== "missing" && isExpected(uri, role);
}

/** Whether one of Debian's servers is known to have the current releases. */
function isExpected(uri: string, role: Role): boolean {
  const official = officialPlace(uri);
  if (!official || official.content !== role || official.isSnapshot || parseAptUri(uri).path === "")
    return false;
  // Not all mirrors in Debian's name have the security updates.
  return official.host !== ARCHIVE_HOST && (role === "main" || !official.host.startsWith("ftp"));
}

function unique(uris: readonly string[]): string[] {
  return [...new Set(uris)];
}

/** The apt sources of a system with this release. */
export function releaseSources(codename: string, mirror: DebianMirror): string {
  const stanza = (uri: string, suites: readonly string[]): string =>
    [
      "Types: deb",
      `URIs: ${uri}`,
      `Suites: ${suites.join(" ")}`,
      "Components: main",
      `Signed-By: ${debianKeyring}`,
      ...(mirror.isArchived ? ["Check-Valid-Until: no"] : []),
      "",
    ].join("\n");
  return [stanza(mirror.main, mirror.mainSuites), stanza(mirror.security, [`${codename}-security`])].join(
    "\n",
  );
}

import type { AptSource, AptSourceEdit } from "../guest/apt-source.ts";
import { type Release, releases } from "./releases.ts";

/** Debian's own servers, by name: the only places that are changed when a release moves to the archive. */
const ARCHIVE = "archive.debian.org";
const MIRROR = "deb.debian.org";
const OFFICIAL_HOSTS = /^(deb|security|archive|httpredir|cdn-fastly\.deb|ftp(\.[a-z]{2})?)\.debian\.org$/;

const COMPONENTS = new Set(["main", "contrib", "non-free", "non-free-firmware"]);
const SUITE_ALIASES = ["stable", "oldstable", "oldoldstable"];

/** The part that a suite plays in its release; undefined for what does not go along in an upgrade (backports ...). */
type Role = "main" | "updates" | "security";

const roles = new Map<string, Role | undefined>();
for (const name of [...releases.map(({ codename }) => codename), ...SUITE_ALIASES]) {
  roles.set(name, "main");
  roles.set(`${name}-updates`, "updates");
  roles.set(`${name}/updates`, "security");
  roles.set(`${name}-security`, "security");
  for (const other of ["backports", "backports-sloppy", "proposed-updates"]) {
    roles.set(`${name}-${other}`, undefined);
  }
}

/**
 * Whether an entry offers Debian itself. Others use the same suite names, so all must be right: suites and
 * components that Debian has, at a place that is called as Debian's mirrors are.
 */
export function isDebianSource({ suites, uris, components: parts }: AptSource): boolean {
  return (
    suites.every((suite) => roles.has(withoutTrailingSlash(suite))) &&
    parts.every((part) => COMPONENTS.has(part)) &&
    uris.every(isDebianUri)
  );
}

/** Whether an entry offers packages of Debian's main suite. */
export function isMainSource(source: AptSource): boolean {
  const offersMain = source.suites.some((suite) => roles.get(withoutTrailingSlash(suite)) === "main");
  return source.enabled && source.types.includes("deb") && offersMain && isDebianSource(source);
}

/**
 * What becomes of an entry when the container goes to a release: Debian's change their suites, everybody
 * else's are disabled, for packages of the old release may stop the upgrade.
 */
export function switchSourcesTo(release: Release): (source: AptSource) => AptSourceEdit | undefined {
  const names: Record<Role, string | undefined> = { main: release.codename, ...pickSuites(release) };
  return (source) => {
    if (!isDebianSource(source)) return { disable: true };
    return {
      suite: (suite) => {
        const role = roles.get(withoutTrailingSlash(suite));
        return role && names[role];
      },
      uri: (uri) => releaseUri(uri, release),
    };
  };
}

function pickSuites({ suites }: Release) {
  return { updates: suites.updates, security: suites.security };
}

/** Apt takes a suite with a slash at its end for a path; of these names it does not matter. */
function withoutTrailingSlash(suite: string): string {
  return suite.replace(/\/$/, "");
}

function isDebianUri(uri: string): boolean {
  const [, host, path] = splitUri(uri);
  return OFFICIAL_HOSTS.test(host) || /(^|\/)debian(-security)?$/.test(path);
}

/** Where on Debian's own servers a release lies. Other mirrors are expected to have what they are asked for. */
function releaseUri(uri: string, release: Release): string {
  const [scheme, host, path] = splitUri(uri);
  if (!OFFICIAL_HOSTS.test(host)) return uri;
  const folder =
    host === "security.debian.org" || path.endsWith("debian-security") ? "debian-security" : "debian";
  if (release.archived) return `http://${ARCHIVE}/${folder}`;
  if (host === ARCHIVE) return `http://${MIRROR}/${folder}`;
  // At its root this server has old names only.
  return host === "security.debian.org" ? `${scheme}//${host}/debian-security` : uri;
}

/** Scheme with its colon, host, path without a slash at its end. */
function splitUri(uri: string): [scheme: string, host: string, path: string] {
  const found = /^([a-z][a-z0-9+.-]*:)(?:\/\/([^/]*))?(.*)$/i.exec(uri);
  return [found?.[1] ?? "", (found?.[2] ?? "").toLowerCase(), (found?.[3] ?? uri).replace(/\/+$/, "")];
}

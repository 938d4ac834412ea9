import type { AptSource, AptSourceEdit } from "../guest/apt-source.ts";
import { type Release, releases } from "./releases.ts";

/** Debian's own servers: only their URIs change when a release moves to the archive. */
const ARCHIVE = "archive.debian.org";
const MIRROR = "deb.debian.org";
const OFFICIAL_HOSTS = /^(deb|security|archive|httpredir|cdn-fastly\.deb|ftp(\.[a-z]{2})?)\.debian\.org$/;

const COMPONENTS = new Set(["main", "contrib", "non-free", "non-free-firmware"]);
const SUITE_ALIASES = ["stable", "oldstable", "oldoldstable"];

/** The role of a suite in its release; undefined if an upgrade does not use it (backports ...). */
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
 * Whether an entry is Debian itself. Other vendors use the same suite names, so suites, components and URIs must all
 * be those of Debian or its mirrors.
 */
export function isDebianSource({ suites, uris, components: parts }: AptSource): boolean {
  return (
    suites.every((suite) => roles.has(withoutTrailingSlash(suite))) &&
    parts.every((part) => COMPONENTS.has(part)) &&
    uris.every(isDebianUri)
  );
}

/** Whether an entry provides binary packages of Debian's main suite. */
export function isMainSource(source: AptSource): boolean {
  const offersMain = source.suites.some((suite) => roles.get(withoutTrailingSlash(suite)) === "main");
  return source.enabled && source.types.includes("deb") && offersMain && isDebianSource(source);
}

/**
 * Edits entries for another release: switches the suites of Debian's, and disables all others, because their packages
 * for the old release may block the upgrade.
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

/** Apt takes a suite with a trailing slash for a path, which makes no difference for these names. */
function withoutTrailingSlash(suite: string): string {
  return suite.replace(/\/$/, "");
}

function isDebianUri(uri: string): boolean {
  const [, host, path] = splitUri(uri);
  return OFFICIAL_HOSTS.test(host) || /(^|\/)debian(-security)?$/.test(path);
}

/** The URI of a release on Debian's own servers. Other mirrors are expected to have the release. */
function releaseUri(uri: string, release: Release): string {
  const [scheme, host, path] = splitUri(uri);
  if (!OFFICIAL_HOSTS.test(host)) return uri;
  const folder =
    host === "security.debian.org" || path.endsWith("debian-security") ? "debian-security" : "debian";
  if (release.archived) return `http://${ARCHIVE}/${folder}`;
  if (host === ARCHIVE) return `http://${MIRROR}/${folder}`;
  // The root of this server has only old suite names.
  return host === "security.debian.org" ? `${scheme}//${host}/debian-security` : uri;
}

/** Scheme with its colon, host, path without trailing slashes. */
function splitUri(uri: string): [scheme: string, host: string, path: string] {
  const found = /^([a-z][a-z0-9+.-]*:)(?:\/\/([^/]*))?(.*)$/i.exec(uri);
  return [found?.[1] ?? "", (found?.[2] ?? "").toLowerCase(), (found?.[3] ?? uri).replace(/\/+$/, "")];
}

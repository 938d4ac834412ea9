import { parseAptUri } from "./apt-uri.ts";

export const DEFAULT_HOST = "deb.debian.org";
export const ARCHIVE_HOST = "archive.debian.org";

/** A place that Debian itself names. */
export interface OfficialPlace {
  readonly host: string;
  /** `security` has the security updates only. */
  readonly content: "main" | "security";
  /** Has one day of all that was published. */
  readonly isSnapshot: boolean;
}

/** The hosts below `debian.org` on which anybody may publish packages. */
const PERSONAL_HOSTS = new Set(["people.debian.org", "alioth.debian.org", "salsa.debian.org"]);
/** Some of Debian's mirrors also serve others, so the path counts too. */
const PATH = /^\/(?:debian-archive\/|archive\/)?debian(-security)?(?:\/\d{8}T\d{6}Z)?$/;

/** Recognizes a place by its name alone; undefined for others, which may be mirrors of Debian all the same. */
export function officialPlace(uri: string): OfficialPlace | undefined {
  const { scheme, host, authority, path } = parseAptUri(uri);
  if (/:(?!(80|443)$)\d*$/.test(authority)) return undefined;
  if (!/^(tor\+)?https?:$|^ftp:$/.test(scheme)) return undefined;
  if (!host.endsWith(".debian.org") || PERSONAL_HOSTS.has(host)) return undefined;
  const isSnapshot = host === "snapshot.debian.org";
  if (host === "security.debian.org" && path === "") return { host, content: "security", isSnapshot };
  const found = PATH.exec(path);
  if (!found) return undefined;
  return { host, content: found[1] ? "security" : "main", isSnapshot };
}

import type { Release } from "./os-release.ts";

/** The apt list of the crostini site. Written before each start, owned by root, mode 0644. */
export const crosAptListPath = "/etc/apt/sources.list.d/cros.list";

/** Releases that also get Debian's backports. */
const RELEASES_WITH_BACKPORTS = new Set(["buster", "bullseye"]);

/**
 * The text of that list (docs/contract.md#apt-sources); undefined if the container is not a Debian with a usable
 * codename. A Debian without VERSION_ID (testing, unstable) uses the packages of `newestCodename`.
 */
export function crosAptList(
  { message, codename }: Release,
  milestone: number,
  newestCodename: string,
): string | undefined {
  const suite = message.versionId === "" ? newestCodename : codename;
  if (message.id !== "debian" || !/^[a-z][a-z0-9-]{0,31}$/.test(suite)) return undefined;
  const own = `deb https://storage.googleapis.com/cros-packages/${milestone} ${suite} main\n`;
  if (!RELEASES_WITH_BACKPORTS.has(suite)) return own;
  return `${own}deb https://deb.debian.org/debian ${suite}-backports main\n`;
}

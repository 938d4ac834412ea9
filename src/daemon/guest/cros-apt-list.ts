import type { Release } from "./os-release.ts";

/** Where the apt list of the crostini site is. Written as root, 0644, before each start. */
export const crosAptListPath = "/etc/apt/sources.list.d/cros.list";

/** Releases whose list also names Debian's backports. */
const RELEASES_WITH_BACKPORTS = new Set(["buster", "bullseye"]);

/**
 * The text of that list (behaviour.md 4.7), or undefined if the container is no Debian with a usable
 * codename and so gets none. A Debian without VERSION_ID (testing, unstable) uses the packages of
 * `newestCodename`.
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

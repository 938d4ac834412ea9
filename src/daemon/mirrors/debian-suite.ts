import type { ReleaseFile } from "./release-file.ts";

/** One of Debian's suites. */
export interface DebianSuite {
  /** The codename of the release, or another name of it ("stable", "sid"). */
  readonly release: string;
  /** `other`: backports, proposed updates, debug symbols, experimental. */
  readonly role: "main" | "updates" | "security" | "other";
}

/** Suites of other roles, by their endings and by their names. */
const OTHER_ROLES = /(^|-)(proposed-updates|backports|backports-sloppy|debug|lts|experimental|rc-buggy)$/;

/** The meaning of a suite's name at Debian, of which `bookworm-security` and the older `buster/updates` are examples. */
export function parseDebianSuite(name: string): DebianSuite {
  const suite = name.replace(/\/+$/, "");
  if (OTHER_ROLES.test(suite)) return { release: suite.replace(OTHER_ROLES, ""), role: "other" };
  const [, release = "", ending] = /^([a-z]+)(-updates|-security|\/updates)?$/.exec(suite) ?? [];
  if (release === "") return { release: suite, role: "other" };
  if (ending === undefined) return { release, role: "main" };
  return { release, role: ending === "-updates" ? "updates" : "security" };
}

/** The suite of a Release file; undefined if it is not Debian's. Derivatives and vendors have other origins. */
export function debianSuiteOf({ origin, label, codename, suite }: ReleaseFile): DebianSuite | undefined {
  const found = parseDebianSuite(codename || suite);
  if (origin === "Debian Backports") return { release: found.release, role: "other" };
  if (origin !== "Debian") return undefined;
  if (label === "Debian") return found;
  // Before bullseye the codename of the security updates was that of the release.
  if (label === "Debian-Security") return { release: found.release, role: "security" };
  return label === "Debian debug" ? { release: found.release, role: "other" } : undefined;
}

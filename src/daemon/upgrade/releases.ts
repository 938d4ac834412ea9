import { TremplinError } from "../../base/tremplin-error.ts";
import { UpgradeContainerRequest_Version as Version } from "../../contract/tremplin_pb.js";
import type { Release as OsRelease } from "../guest/os-release.ts";

/** A workaround for a known problem of a release. */
export interface Workaround {
  /** Reported when it runs, for example "removing expired root certificates". */
  readonly message: string;
  /** Only runs if this file exists. */
  readonly ifExists: string;
  readonly commands: readonly (readonly string[])[];
}

/** Something that a person will notice after an upgrade. */
export interface Change {
  /** A sentence, reported with the last lines. */
  readonly text: string;
  /** Only reported if this file exists. */
  readonly ifExists?: string;
}

/** A Debian release that containers are upgraded from or to. */
export interface Release {
  /** The contract's number. */
  readonly version: Version;
  readonly codename: string;
  /** As in os-release's VERSION_ID. */
  readonly versionId: string;
  /** Its suites in apt sources. Without `updates` it gets no more updates. */
  readonly suites: { readonly security: string; readonly updates?: string };
  /** The package with the keys of its successor. */
  readonly keyring: string;
  /** Only Debian's archive has it, and its release files have expired. */
  readonly archived?: boolean;
  /** Architectures that it supports no longer, as dpkg names them. */
  readonly droppedArchitectures?: readonly string[];
  /** What is different from the release before. */
  readonly changes?: readonly Change[];
  /** Applied while this release runs, before it is upgraded. */
  readonly workarounds?: readonly Workaround[];
}

const keyring = "debian-archive-keyring";

/** Oldest first: each is upgraded to the next one. Adding a release is adding a row. */
export const releases: readonly Release[] = [
  {
    version: Version.DEBIAN_STRETCH,
    codename: "stretch",
    versionId: "9",
    suites: { security: "stretch/updates" },
    keyring,
    archived: true,
    workarounds: [
      {
        message: "removing a root certificate that has expired and breaks TLS",
        ifExists: "/etc/ca-certificates.conf",
        commands: [
          ["sed", "-i", "s#^mozilla/DST_Root_CA_X3.crt#!&#", "/etc/ca-certificates.conf"],
          ["update-ca-certificates"],
        ],
      },
    ],
  },
  {
    version: Version.DEBIAN_BUSTER,
    codename: "buster",
    versionId: "10",
    suites: { security: "buster/updates", updates: "buster-updates" },
    keyring,
    archived: true,
  },
  {
    version: Version.DEBIAN_BULLSEYE,
    codename: "bullseye",
    versionId: "11",
    suites: { security: "bullseye-security", updates: "bullseye-updates" },
    keyring,
    droppedArchitectures: ["mips"],
  },
  {
    version: Version.DEBIAN_BOOKWORM,
    codename: "bookworm",
    versionId: "12",
    suites: { security: "bookworm-security", updates: "bookworm-updates" },
    keyring,
    changes: [
      {
        text: "pip installs only into virtual environments: make one with python3 -m venv, or use apt",
        ifExists: "/usr/bin/pip3",
      },
    ],
  },
  {
    version: Version.DEBIAN_TRIXIE,
    codename: "trixie",
    versionId: "13",
    suites: { security: "trixie-security", updates: "trixie-updates" },
    keyring,
    droppedArchitectures: ["i386", "mips64el", "mipsel"],
    changes: [
      {
        text: "/tmp is in memory now and empty after each restart: systemctl mask tmp.mount keeps it on the disk",
        ifExists: "/usr/lib/systemd/system/tmp.mount",
      },
      {
        text: "files are deleted from /tmp after 10 days and from /var/tmp after 30 days without use: see tmpfiles.d(5)",
        ifExists: "/usr/lib/tmpfiles.d/tmp.conf",
      },
      {
        text: "old names of time zones (US/Eastern, Asia/Calcutta) are in a package of their own: programs that need them need apt install tzdata-legacy",
        ifExists: "/usr/share/zoneinfo",
      },
      {
        text: "the ssh server accepts no keys of the type DSA any more",
        ifExists: "/usr/sbin/sshd",
      },
    ],
  },
];

/** The path from one release to another. */
export interface UpgradePath {
  readonly from: Release;
  /** Each release after `from`, in order. Not empty. */
  readonly releases: readonly Release[];
  readonly to: Release;
}

/** "Debian 12 (bookworm)". */
export function releaseName({ versionId, codename }: Release): string {
  return `Debian ${versionId} (${codename})`;
}

/** The release of a container. Throws `invalid` if it is not a known Debian. */
export function releaseOfOsRelease({ message }: OsRelease): Release {
  const { id, versionId } = message;
  if (id !== "debian") {
    throw new TremplinError(
      "invalid",
      `only Debian can be upgraded, and the container's os-release says ${quoted(id)}`,
    );
  }
  const found = releases.find((release) => release.versionId === versionId.split(".")[0]);
  if (found) return found;
  const what = versionId === "" ? "testing or unstable" : `Debian ${quoted(versionId)}`;
  throw new TremplinError(
    "invalid",
    `the container runs ${what}, which cannot be upgraded: ${knownReleases()}`,
  );
}

/** The release with a number of the contract. Throws `invalid` for an unknown number. */
export function releaseOfVersion(version: Version): Release {
  const found = releases.find((release) => release.version === version);
  if (found) return found;
  throw new TremplinError("invalid", `there is no release with the number ${version}: ${knownReleases()}`);
}

/** Undefined if both are the same. Throws `invalid` for a downgrade. */
export function upgradePath(from: Release, to: Release): UpgradePath | undefined {
  const [start, end] = [releases.indexOf(from), releases.indexOf(to)];
  if (start === end) return undefined;
  if (start < end) return { from, to, releases: releases.slice(start + 1, end + 1) };
  throw new TremplinError("invalid", `${releaseName(from)} cannot be downgraded to ${releaseName(to)}`);
}

/** For untrusted text of a container. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

function knownReleases(): string {
  return `known releases are ${releases.map(({ codename, versionId }) => `${codename} (${versionId})`).join(", ")}`;
}

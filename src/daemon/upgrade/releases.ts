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
  },
  {
    version: Version.DEBIAN_BOOKWORM,
    codename: "bookworm",
    versionId: "12",
    suites: { security: "bookworm-security", updates: "bookworm-updates" },
    keyring,
  },
  {
    version: Version.DEBIAN_TRIXIE,
    codename: "trixie",
    versionId: "13",
    suites: { security: "trixie-security", updates: "trixie-updates" },
    keyring,
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

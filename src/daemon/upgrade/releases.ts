import { TremplinError } from "../../base/tremplin-error.ts";
import { UpgradeContainerRequest_Version as Version } from "../../contract/tremplin_pb.js";
import type { Release as OsRelease } from "../guest/os-release.ts";

/** What stands in the way of an upgrade to a release, and the program that puts it away. */
export interface Workaround {
  /** What is told when it runs, for example "removing expired root certificates". */
  readonly message: string;
  /** Only where this file is there. */
  readonly ifExists: string;
  readonly commands: readonly (readonly string[])[];
}

/** One Debian release that containers are upgraded from or to. */
export interface Release {
  /** The contract's number. */
  readonly version: Version;
  readonly codename: string;
  /** As in os-release's VERSION_ID. */
  readonly versionId: string;
  /** What apt's sources call it. Without `updates` its point releases are all there will be. */
  readonly suites: { readonly security: string; readonly updates?: string };
  /** The package with the keys that its successor is signed with. */
  readonly keyring: string;
  /** Debian's own mirrors no longer have it, only its archive, whose release files have run out. */
  readonly archived?: boolean;
  /** To be put away while this release is what runs, before it is upgraded. */
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

/** A way from one release to another: each release after `from`, in order. Not empty. */
export interface UpgradePath {
  readonly from: Release;
  readonly releases: readonly Release[];
  readonly to: Release;
}

/** "Debian 12 (bookworm)". */
export function releaseName({ versionId, codename }: Release): string {
  return `Debian ${versionId} (${codename})`;
}

/** What a container runs. Throws `invalid` for what is no Debian of the table. */
export function releaseOfOsRelease({ message }: OsRelease): Release {
  const { id, versionId } = message;
  if (id !== "debian") {
    throw new TremplinError(
      "invalid",
      `only Debian can be upgraded, and the container says it is ${quoted(id)}`,
    );
  }
  const found = releases.find((release) => release.versionId === versionId.split(".")[0]);
  if (found) return found;
  const what = versionId === "" ? "testing or unstable" : `Debian ${quoted(versionId)}`;
  throw new TremplinError(
    "invalid",
    `the container runs ${what}, which there is no way from: ${knownReleases()}`,
  );
}

/** The release that a request asks for. Throws `invalid` for a number that is none. */
export function releaseOfVersion(version: Version): Release {
  const found = releases.find((release) => release.version === version);
  if (found) return found;
  throw new TremplinError("invalid", `no release has the number ${version}: ${knownReleases()}`);
}

/** Undefined where it runs already. Throws `invalid` for a way back. */
export function upgradePath(from: Release, to: Release): UpgradePath | undefined {
  const [start, end] = [releases.indexOf(from), releases.indexOf(to)];
  if (start === end) return undefined;
  if (start < end) return { from, to, releases: releases.slice(start + 1, end + 1) };
  throw new TremplinError(
    "invalid",
    `${releaseName(from)} cannot be turned into the older ${releaseName(to)}`,
  );
}

/** What a container says of itself may be anything. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

function knownReleases(): string {
  return `known are ${releases.map(({ codename, versionId }) => `${codename} (${versionId})`).join(", ")}`;
}

import { TremplinError } from "../../base/tremplin-error.ts";

/** One Debian release that a container can be made of. */
export interface DebianRelease {
  readonly codename: string;
  /** Major version, as in os-release's VERSION_ID. */
  readonly version: string;
  /** Packages beyond the minimal system. */
  readonly packages: readonly string[];
  /** Files that only this release needs, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Units that fail in a container of this release and of no other. */
  readonly masked?: readonly string[];
}

/** What a person expects of a machine to live in, and what systemd needs to bring up the network. */
const COMMON_PACKAGES = [
  "bash-completion",
  "ca-certificates",
  "dbus",
  "iproute2",
  "less",
  "libpam-systemd",
  "locales",
  "nano",
  "netbase",
  "procps",
  "sudo",
  "systemd-sysv",
  "tzdata",
  // systemd-networkd waits for it wherever /sys can be written to, as it can in the engines' containers.
  "udev",
];

/** Later releases know by themselves that a container may not touch the devices of the machine. */
const TOLERANT_UDEV_TRIGGER = `[Service]
ExecStart=
ExecStart=-udevadm trigger --type=subsystems --action=add
ExecStart=-udevadm trigger --type=devices --action=add
`;

/** Adding a release is adding a row. */
export const debianReleases: readonly DebianRelease[] = [
  {
    codename: "bullseye",
    version: "11",
    // systemd-resolved is still part of the package systemd.
    packages: COMMON_PACKAGES,
    files: { "etc/systemd/system/systemd-udev-trigger.service.d/container.conf": TOLERANT_UDEV_TRIGGER },
    masked: ["systemd-journald-audit.socket"],
  },
  { codename: "bookworm", version: "12", packages: [...COMMON_PACKAGES, "systemd-resolved"] },
  { codename: "trixie", version: "13", packages: [...COMMON_PACKAGES, "systemd-resolved"] },
];

/** The row of a codename. Throws `invalid` with the codenames that there are. */
export function debianRelease(codename: string): DebianRelease {
  const release = debianReleases.find((each) => each.codename === codename);
  if (release) return release;
  const known = debianReleases.map((each) => each.codename).join(", ");
  throw new TremplinError(
    "invalid",
    `"${codename}" is not a Debian release known here: choose one of ${known}`,
  );
}

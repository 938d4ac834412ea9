import { TremplinError } from "../../base/tremplin-error.ts";

/** A Debian release for new containers. */
export interface DebianRelease {
  readonly codename: string;
  /** VERSION_ID in its os-release. */
  readonly version: string;
  /** Packages beyond the minimal system. */
  readonly packages: readonly string[];
  /** Contents of extra files, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Units to mask, because they fail in a container. */
  readonly masked?: readonly string[];
}

/** Basic tools for people, and what systemd needs for the network. */
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
  // systemd-networkd waits for udev if /sys is writable, as it is in the engines' containers.
  "udev",
];

/** Ignores failures, because a container may not trigger the machine's devices. Later releases do so by default. */
const TOLERANT_UDEV_TRIGGER = `[Service]
ExecStart=
ExecStart=-udevadm trigger --type=subsystems --action=add
ExecStart=-udevadm trigger --type=devices --action=add
`;

/** To add a release, add a row. */
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

/** Finds a release by codename. Throws `invalid` with the known codenames. */
export function debianRelease(codename: string): DebianRelease {
  const release = debianReleases.find((each) => each.codename === codename);
  if (release) return release;
  const known = debianReleases.map((each) => each.codename).join(", ");
  throw new TremplinError(
    "invalid",
    `"${codename}" is not a supported Debian release: choose one of ${known}`,
  );
}

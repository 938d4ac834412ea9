import { TremplinError } from "../../base/tremplin-error.ts";

/** Names that systems or sites use themselves (docs/contract.md#setupuser). */
const RESERVED_NAMES = new Set(
  `root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody _apt
   systemd-timesync systemd-network systemd-resolve systemd-bus-proxy messagebus sshd rtkit pulse
   android-root chronos-access android-everybody`.split(/\s+/),
);

/**
 * Throws `invalid` unless the name can be that of a container's primary user (docs/contract.md#setupuser): 1 to 32
 * characters, first a lower-case letter or underscore, then also digits and `-`, and not reserved.
 */
export function checkUserName(name: string): void {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) {
    throw new TremplinError(
      "invalid",
      "the user name must be 1 to 32 lower-case letters, digits, _ or -, and begin with a letter or _",
    );
  }
  if (RESERVED_NAMES.has(name)) {
    throw new TremplinError("invalid", `the user name "${name}" belongs to the system: choose another one`);
  }
}

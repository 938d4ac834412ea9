import * as z from "zod";
import { errorMessage } from "../../base/tremplin-error.ts";
import { parseAddress } from "../../transport/address.ts";
import { AUTOSTART_KEY, type Autostart, autostartChoices, isOn } from "./autostart.ts";

const address = z.string().transform((text, context) => {
  try {
    return parseAddress(text);
  } catch (error) {
    context.addIssue(errorMessage(error));
    return z.NEVER;
  }
});
const pattern = z.string().refine(isPattern, "not a regular expression");

const fields = z.strictObject({
  name: z.string(),
  /** Config of the bridge beyond its address. */
  network: z.record(z.string(), z.string()).default({}),
  /** The prefix length of the bridge's subnet where --lxd-subnet names none and the bridge has none yet. */
  subnetPrefix: z.number().int().min(16).max(30).default(24),
  profile: z
    .strictObject({
      config: z.record(z.string(), z.string()).default({}),
      /** Devices in addition to the network card and the root disk. A device whose source is missing is left out. */
      devices: z.record(z.string(), z.record(z.string(), z.string())).default({}),
      /** Character devices below /dev for every container: regular expressions for their paths below /dev. */
      devicePatterns: z.array(pattern).default([]),
    })
    .prefault({}),
  /** The recording devices below /dev: a regular expression. Default: containers get none. */
  microphone: pattern.optional(),
  /** Files that are written at each start of a container and mounted in it. Files without content are left out. */
  bindMounts: z
    .array(
      z.strictObject({
        /** The key of the instance device. */
        device: z.string(),
        /** The field of the start request with the content. */
        content: z.enum(["token", "hostPublicKey", "containerPrivateKey"]),
        /** The path on this machine. Its folder is created, accessible only to the daemon. */
        source: z.string(),
        /** The path in the container. */
        path: z.string(),
      }),
    )
    .default([]),
  /** The file and the key with the host's milestone, and the file for containers to which it is copied. */
  milestone: z.strictObject({ file: z.string(), key: z.string(), target: z.string() }).optional(),
  /** The folder for the settings of a user's engine client, and its owner. */
  clientFolder: z.strictObject({ path: z.string(), owner: z.string() }).optional(),
  /** The accounts that a container gets. */
  users: z
    .strictObject({
      /** Users that never log in, each with a group of the same name and id; with a free id if that one is taken. */
      helpers: z.array(z.strictObject({ name: z.string(), id: z.number() })).default([]),
      /** Groups of the primary user that the container must have. */
      requiredGroups: z.array(z.string()).default([]),
      /** Groups of the primary user, if the container has them. */
      optionalGroups: z.array(z.string()).default([]),
    })
    .prefault({}),
  /** The host's crash listener, see FailureReports. Default: none. */
  crashListener: address.optional(),
  /**
   * On a machine with this container and no other, the engine's database is reset at each boot
   * (docs/contract.md#database-reset). Default: only when it is broken, or on request.
   */
  automaticReset: z.string().optional(),
  /** Whether Debian containers get ChromeOS's package list (docs/contract.md#apt-sources). */
  crosAptList: z.boolean().default(false),
  /** Whether containers run once the engine has started. Default: what profile.config has in boot.autostart, else last. */
  autostart: z.enum(autostartChoices).optional(),
  /** How long a container may take to shut down before it is stopped by force. Seconds. */
  stopGrace: z.number().min(0).max(25).default(15),
});

/**
 * A site: local conventions as data. Texts may contain {state}, {shared} and, where they concern one container,
 * {name}. Every field but the name has a default (docs/sites.md).
 */
export const siteSchema = fields.transform((site, context) => {
  const { config } = site.profile;
  const ofProfile = config[AUTOSTART_KEY];
  const autostart = site.autostart ?? autostartOfValue(ofProfile);
  if (ofProfile !== undefined && isOn(ofProfile) !== (autostart === "on")) {
    const other = `profile.config has ${AUTOSTART_KEY}: ${ofProfile}; leave one of the two out`;
    context.addIssue(`autostart is ${autostart}, but ${other}`);
  }
  const complete: Record<string, string> = { [AUTOSTART_KEY]: String(autostart === "on"), ...config };
  return { ...site, autostart, profile: { ...site.profile, config: complete } };
});

function autostartOfValue(value: string | undefined): Autostart {
  if (value === undefined) return "last";
  return isOn(value) ? "on" : "off";
}

/** The groups that a desktop user expects. */
export const desktopGroups = [
  "audio",
  "cdrom",
  "dialout",
  "floppy",
  "kvm",
  "libvirt",
  "plugdev",
  "sudo",
  "users",
  "video",
];

export type Site = z.infer<typeof siteSchema>;

/** Replaces the placeholders in a text of the site. */
export function expandPlaceholders(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(state|shared|name)\}/g, (whole, key: string) => values[key] ?? whole);
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

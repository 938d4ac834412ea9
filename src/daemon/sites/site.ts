import * as z from "zod";
import { errorMessage } from "../../base/tremplin-error.ts";
import { parseAddress } from "../../transport/address.ts";

const address = z.string().transform((text, context) => {
  try {
    return parseAddress(text);
  } catch (error) {
    context.addIssue(errorMessage(error));
    return z.NEVER;
  }
});
const pattern = z.string().refine(isPattern, "not a regular expression");

/**
 * The local conventions of a place, as data. Texts may hold {state}, {shared} and, where they concern one
 * container, {name}. Everything has a default, so a file with one line is a site.
 */
export const siteSchema = z.strictObject({
  name: z.string(),
  /** Config of the bridge beyond its address. */
  network: z.record(z.string(), z.string()).default({}),
  profile: z
    .strictObject({
      config: z.record(z.string(), z.string()).default({}),
      /** Devices besides the network card and the root disk. One whose source is missing is left out. */
      devices: z.record(z.string(), z.record(z.string(), z.string())).default({}),
      /** Character devices below /dev that containers get: regular expressions for their paths there. */
      devicePatterns: z.array(pattern).default([]),
    })
    .prefault({}),
  /** The devices below /dev by which programs listen: a regular expression. Without: containers get none. */
  microphone: pattern.optional(),
  /** Files written at each start of a container and shown inside it. Those with no content are left out. */
  bindMounts: z
    .array(
      z.strictObject({
        /** The key of the instance device. */
        device: z.string(),
        /** Which field of the request to start holds the content. */
        content: z.enum(["token", "hostPublicKey", "containerPrivateKey"]),
        /** Where it lies on this machine. Its folder is made, closed to everyone else. */
        source: z.string(),
        /** Where it is seen inside. */
        path: z.string(),
      }),
    )
    .default([]),
  /** The file and key that tell the milestone, and where it is written for containers to see. */
  milestone: z.strictObject({ file: z.string(), key: z.string(), target: z.string() }).optional(),
  /** Where a person's engine client keeps its settings, and whose folder that is. */
  clientFolder: z.strictObject({ path: z.string(), owner: z.string() }).optional(),
  /** Who is in a container besides its own accounts. */
  users: z
    .strictObject({
      /** Users that never log in, each with a group of the same name and id; a free id where that one is taken. */
      helpers: z.array(z.strictObject({ name: z.string(), id: z.number() })).default([]),
      /** Groups of the person that must be there. */
      requiredGroups: z.array(z.string()).default([]),
      /** Groups of the person, where the container has them. */
      optionalGroups: z.array(z.string()).default([]),
    })
    .prefault({}),
  /** Where the host counts programs of the guest that failed (failure-reports.ts). Default: nowhere. */
  crashListener: address.optional(),
  /**
   * The container that a machine has alone, for which the engine's database is made anew at each boot
   * (behaviour.md 3.3). Default: none, it is made anew only when it is broken or somebody asks.
   */
  automaticReset: z.string().optional(),
  /** Whether Debian containers get the package list of the place, see crosAptList. */
  crosAptList: z.boolean().default(false),
  /** How long a container may take to stop politely before it is stopped by force. Seconds. */
  stopGrace: z.number().min(0).max(25).default(15),
});

/** The groups that give a person what a desktop user expects. */
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

/** Fills the placeholders of a text of the site. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
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

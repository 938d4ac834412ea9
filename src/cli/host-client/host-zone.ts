import { textIfReadable } from "../../base/files/text-of-file.ts";

/** The name of the time zone of this machine. */
export function hostZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/**
 * The rule of a zone as POSIX writes it in TZ, for containers that do not know the name: the last line of the
 * zone's file on this machine (RFC 8536, 3.3). Empty if this machine does not know it either.
 */
export async function ruleOfZone(zone: string, folder = "/usr/share/zoneinfo"): Promise<string> {
  if (!/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/.test(zone)) return "";
  const file = await textIfReadable(`${folder}/${zone}`, "latin1");
  if (!file.startsWith("TZif")) return "";
  return /\n([^\n]*)\n$/.exec(file)?.[1] ?? "";
}

import { lstat, readlink } from "node:fs/promises";
import { isAbsolute, posix } from "node:path";
import { textIfReadable } from "../../base/files/files.ts";
import { isTimeZoneName, otherNamesOfZone } from "../../base/time-zones.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

const ZONES = "/usr/share/zoneinfo";
const LOCAL_TIME = "/etc/localtime";
const MAX_LINKS = 10;
const ADVICE = "give the name of a zone: tremplin timezone Europe/Berlin";

/** Where the time zone of a computer is set. Tests give others. */
export interface ZonePlaces {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder before all paths. */
  readonly root: string;
}

const here: ZonePlaces = { env: process.env, root: "" };

/**
 * The name of this computer's time zone: of the variable TZ, else of the zone that /etc/localtime is a link to, else of
 * /etc/timezone. Not asked of the runtime, whose names are former ones (`Asia/Calcutta`), and which takes UTC for a zone
 * that it does not know. Throws `failed` where no zone is named.
 */
export async function localZone(places: ZonePlaces = here): Promise<string> {
  const text = places.env.TZ?.replace(/^:/, "") ?? "";
  if (text === "" || text === LOCAL_TIME) return await configuredZone(places);
  const name = zoneOfPath(text) ?? text;
  if (isTimeZoneName(name) && (await isKnown(name, places))) return name;
  throw new TremplinError("failed", `TZ=${text} does not name a time zone: ${ADVICE}`);
}

async function configuredZone({ root }: ZonePlaces): Promise<string> {
  for (let at = LOCAL_TIME, count = 0; count < MAX_LINKS; count++) {
    const target = await readlink(root + at).catch(() => undefined);
    if (target === undefined) break;
    at = isAbsolute(target) ? target : posix.join(posix.dirname(at), target);
    const name = zoneOfPath(at);
    if (name !== undefined && isTimeZoneName(name)) return name;
  }
  const named = (await textIfReadable(`${root}/etc/timezone`)).trim();
  if (isTimeZoneName(named)) return named;
  // Without the file programs use UTC (localtime(5)).
  const isSet = named !== "" || (await lstat(root + LOCAL_TIME).catch(() => undefined));
  if (!isSet) return "Etc/UTC";
  throw new TremplinError(
    "failed",
    `neither ${LOCAL_TIME} nor /etc/timezone of this computer names a time zone: ${ADVICE}`,
  );
}

/** The name in the path of a zone's file, wherever the folder of zones is. `posix` and `right` have the zones again. */
function zoneOfPath(path: string): string | undefined {
  return /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(path)?.[1];
}

async function isKnown(name: string, { root }: ZonePlaces): Promise<boolean> {
  if ((await zoneFile(name, root + ZONES)) !== "") return true;
  try {
    Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * The POSIX rule of a zone, for containers that do not know its name: the last line of the zone's file on this computer
 * (RFC 8536, 3.3), under this or another name of the zone. Empty if there is no such zone here.
 */
export async function ruleOfZone(zone: string, folder = ZONES): Promise<string> {
  if (!isTimeZoneName(zone)) return "";
  const database = await textIfReadable(`${folder}/tzdata.zi`, "latin1");
  for (const name of [zone, ...otherNamesOfZone(zone, database)]) {
    const rule = /\n([^\n]*)\n$/.exec(await zoneFile(name, folder))?.[1];
    if (rule) return rule;
  }
  return "";
}

/** The content of a zone's file; empty if there is none. */
async function zoneFile(name: string, folder: string): Promise<string> {
  const file = await textIfReadable(`${folder}/${name}`, "latin1");
  return file.startsWith("TZif") ? file : "";
}

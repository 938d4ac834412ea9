import { TremplinError } from "./tremplin-error.ts";

/** Files beside the zones, and what stands for "no zone": `localtime` leads back to the place that names the zone. */
const NO_ZONES =
  /^(?:localtime|posixrules|leapseconds|leap-seconds|Factory|Etc\/Unknown|posix|right|(?:posix|right)\/.*)$/;

/**
 * Throws `invalid` unless the text can be the name of a time zone: up to 64 characters, words joined by `/` as in
 * "Europe/Berlin", "UTC" or "Etc/GMT+8". Only a database of zones knows whether it exists.
 */
export function checkTimeZoneName(name: string): void {
  if (isTimeZoneName(name)) return;
  const shown = name.length <= 64 ? `"${name.replace(/[^ -~]/g, "?")}"` : "the text";
  throw new TremplinError(
    "invalid",
    `${shown} is not the name of a time zone; it must be one such as "Europe/Berlin" or "UTC"`,
  );
}

/** Whether the text can be the name of a time zone. */
export function isTimeZoneName(name: string): boolean {
  return (
    name.length <= 64 && /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(name) && !NO_ZONES.test(name)
  );
}

/**
 * The names of the same zone: first the name that it has now, then the others. Databases have links from former names
 * (`Asia/Calcutta` to `Asia/Kolkata`), and some leave them out. `database`: the text of `tzdata.zi` (zic(8)).
 */
export function otherNamesOfZone(name: string, database: string): readonly string[] {
  const targets = new Map<string, string>();
  for (const [, target, link] of database.matchAll(/^L(?:ink)?[ \t]+(\S+)[ \t]+(\S+)[ \t]*$/gm)) {
    if (target !== undefined && link !== undefined) targets.set(link, target);
  }
  const own = currentName(name, targets);
  const former = [...targets.keys()].filter((link) => currentName(link, targets) === own);
  return [own, ...former].filter((each) => each !== name && isTimeZoneName(each));
}

function currentName(name: string, targets: ReadonlyMap<string, string>): string {
  let at = name;
  // A database of somebody else may have a loop.
  for (let count = 0; count < 10; count++) {
    const target = targets.get(at);
    if (target === undefined) return at;
    at = target;
  }
  return at;
}

import { isTimeZoneName } from "../../base/time-zones.ts";
import type { Engine } from "../../engine/engine.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { linksOf } from "./container-files.ts";
import { LOCAL_TIME } from "./find-zone.ts";

const MAX_NAME_BYTES = 4096;

/**
 * The time zone of a container: by the link /etc/localtime, else /etc/timezone, else the variable TZ of the programs
 * that the engine starts. A container without any uses UTC (localtime(5)). Empty where a file of a zone has no name.
 */
export async function readTimeZone(
  engine: Engine,
  { name, config }: Pick<Instance, "name" | "config">,
  signal: AbortSignal,
): Promise<string> {
  const variable = config["environment.TZ"] ?? "";
  if (variable !== "") return variable.replace(/^:/, "");
  using files = await engine.fileSession(name, { signal });
  const localTime = await files.lstat(LOCAL_TIME).catch(ifMissing);
  const named = (localTime && (await zoneOfLink(files))) || (await zoneOfFile(files));
  return named || (localTime ? "" : "Etc/UTC");
}

async function zoneOfLink(files: FileSession): Promise<string> {
  // The link may lead nowhere: where the package with the zones is missing, its name counts all the same.
  const places = await linksOf(files, LOCAL_TIME).catch(async () => [await files.readlink(LOCAL_TIME)]);
  const names = places.map((place) => /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(place)?.[1] ?? "");
  return names.find(isTimeZoneName) ?? "";
}

async function zoneOfFile(files: FileSession): Promise<string> {
  const content = await files.read("/etc/timezone", MAX_NAME_BYTES).catch(ifMissing);
  const name = content?.toString("latin1").trim() ?? "";
  return isTimeZoneName(name) ? name : "";
}

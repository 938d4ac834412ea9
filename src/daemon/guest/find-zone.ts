import { posix } from "node:path";
import { textIfReadable } from "../../base/files/files.ts";
import { otherNamesOfZone } from "../../base/time-zones.ts";
import type { Engine } from "../../engine/engine.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { linksOf } from "./container-files.ts";

/** The folder with a file for each zone, in containers and on this machine. */
export const ZONES = "/usr/share/zoneinfo";
export const LOCAL_TIME = "/etc/localtime";

/** In this folder: all zones and links as one text. It is about 120 KiB. */
const DATABASE = "tzdata.zi";
const MAX_DATABASE_BYTES = 1024 ** 2;
const MAX_ZONE_BYTES = 256 * 1024;

/** The name under which a container has a zone, or why it has none. */
export interface FoundZone {
  /** Undefined if the container has no file for the zone. */
  readonly name: string | undefined;
  readonly problem: string;
  /** False where a program in the container would take something else for the zone. */
  readonly isSafe: boolean;
}

/**
 * Looks for a zone in a container, by its name or another name of the same zone: hosts use former names, which newer
 * databases leave out (docs/contract.md#settimezone).
 */
export async function findZone(
  engine: Engine,
  container: string,
  name: string,
  signal: AbortSignal,
): Promise<FoundZone> {
  using files = await engine.fileSession(container, { signal });
  const state = await stateOf(files, name);
  if (state === "a zone") return { name, problem: "", isSafe: true };
  for (const other of await otherNames(files, name)) {
    if ((await stateOf(files, other)) === "a zone") return { name: other, problem: "", isSafe: true };
  }
  const isSafe = state === "missing";
  const problem = isSafe ? `it has no file ${ZONES}/${name}` : `${ZONES}/${name} in it is not a time zone`;
  return { name: undefined, problem, isSafe };
}

/** By the links of the container's own database, then of this machine's. */
async function otherNames(files: FileSession, name: string): Promise<readonly string[]> {
  const path = `${ZONES}/${DATABASE}`;
  const own = await files.read(path, MAX_DATABASE_BYTES).then(
    (bytes) => bytes.toString("latin1"),
    () => "",
  );
  const others = [own, await textIfReadable(path, "latin1")].map((text) => otherNamesOfZone(name, text));
  return [...new Set(others.flat())];
}

async function stateOf(files: FileSession, name: string): Promise<"a zone" | "missing" | "something else"> {
  const path = `${ZONES}/${name}`;
  if ((await files.stat(path).catch(ifMissing))?.type !== "file") return "missing";
  const places = await linksOf(files, path);
  // A link to it would make /etc/localtime a loop.
  if (places.some((place) => posix.normalize(place) === LOCAL_TIME)) return "something else";
  const content = await files.read(path, MAX_ZONE_BYTES);
  return content.subarray(0, 4).toString("latin1") === "TZif" ? "a zone" : "something else";
}

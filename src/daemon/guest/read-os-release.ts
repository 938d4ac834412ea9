import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { parseOsRelease, type Release } from "./os-release.ts";

const MOST_BYTES = 64 * 1024;

/** What a container says of itself, running or stopped (behaviour.md 4.6). Throws `not-found` if nothing. */
export async function readOsRelease(files: FileSession): Promise<Release> {
  const read = (path: string) => files.read(path, MOST_BYTES);
  return parseOsRelease(
    (await read("/etc/os-release").catch(ifMissing)) ?? (await read("/usr/lib/os-release")),
  );
}

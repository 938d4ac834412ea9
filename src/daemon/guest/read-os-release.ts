import { ifMissing } from "../../engine/if-missing.ts";
import type { InstanceFiles } from "../../engine/instance-files.ts";
import { parseOsRelease, type Release } from "./os-release.ts";
import { readFollowing } from "./read-following.ts";

const MOST_BYTES = 64 * 1024;
/** Milliseconds: what a container plants there must not hold up its start. */
const TIME_LIMIT = 5_000;

/** What a container says of itself, running or stopped (behaviour.md 4.6). Throws `not-found` if nothing. */
export async function readOsRelease(
  files: InstanceFiles,
  container: string,
  signal: AbortSignal,
): Promise<Release> {
  const options = { signal, maxBytes: MOST_BYTES, timeLimit: TIME_LIMIT };
  const read = (path: string) => readFollowing(files, container, path, options);
  const { content } = (await read("/etc/os-release").catch(ifMissing)) ?? (await read("/usr/lib/os-release"));
  return parseOsRelease(content);
}

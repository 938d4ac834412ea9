import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseEnv } from "node:util";
import { textIfReadable } from "../../base/files/files.ts";
import type { Site } from "./site.ts";

/**
 * The milestone of the place, written where containers see it (behaviour.md 1.3, 3.4). Undefined where the
 * site has none, or where its file does not tell one.
 */
export async function prepareMilestone({ milestone }: Site): Promise<string | undefined> {
  if (!milestone) return undefined;
  const values = parseEnv(await textIfReadable(milestone.file));
  const value = values[milestone.key];
  if (!value || !/^\d+$/.test(value)) return undefined;
  await mkdir(dirname(milestone.target), { recursive: true });
  await writeFile(milestone.target, value, { mode: 0o644 });
  return value;
}

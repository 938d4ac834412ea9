import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseEnv } from "node:util";
import type { Site } from "./site.ts";

/**
 * The milestone of the place, written where containers see it (behaviour.md 1.3, 3.4). Undefined where the
 * site has none, or where its file does not tell one.
 */
export async function prepareMilestone({ milestone }: Site): Promise<string | undefined> {
  if (!milestone) return undefined;
  const values = parseEnv(await readFile(milestone.file, "utf8").catch(() => ""));
  const value = values[milestone.key];
  if (!value || !/^\d+$/.test(value)) return undefined;
  await mkdir(dirname(milestone.target), { recursive: true });
  await writeFile(milestone.target, value, { mode: 0o644 });
  return value;
}

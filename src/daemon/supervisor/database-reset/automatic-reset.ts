import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";
import { containersRun } from "../orphans/orphaned-containers.ts";
import { readBackupYaml } from "./read-backup-yaml.ts";

const backupSchema = z.object({
  container: z.object({ name: z.string() }),
  volume: z.object({ name: z.string() }),
});

/**
 * Whether an engine that does not run yet gets a new database at this start, as the site wants for a machine with
 * one container of that name alone (behaviour.md 3.3). Not while it runs: then nothing was just booted.
 */
export async function mayResetAutomatically(
  engineFolder: string,
  layout: EngineLayout,
  container: string | undefined,
): Promise<boolean> {
  if (container === undefined) return false;
  const folder = join(engineFolder, layout.containers);
  const names = await readdir(folder).catch(() => []);
  if (names.length !== 1 || names[0] !== container) return false;
  if (await containersRun(engineFolder)) return false;
  try {
    const { content } = await readBackupYaml(join(folder, container, layout.backupYaml));
    const backup = backupSchema.parse(content);
    // Where the names differ the engine could not take it back (lxc/lxd issue 8071).
    return backup.container.name === container && backup.volume.name === container;
  } catch {
    return false;
  }
}

import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { parseHostileYaml } from "../../backups/parse-hostile-yaml.ts";
import { containersRun } from "../leftover-containers.ts";

const MOST_BYTES = 16 * 1024 * 1024;
const backupSchema = z.object({
  container: z.object({ name: z.string() }),
  volume: z.object({ name: z.string() }),
});

/**
 * Whether an engine that does not run yet gets a new database at this start, as the site wants for a machine with
 * one container of that name alone (behaviour.md 3.3). Not while it runs: then nothing was just booted.
 */
export async function resetsByItself(engineFolder: string, container: string | undefined): Promise<boolean> {
  if (container === undefined) return false;
  const folder = join(engineFolder, "containers");
  const names = await readdir(folder).catch(() => []);
  if (names.length !== 1 || names[0] !== container) return false;
  if (await containersRun(engineFolder)) return false;
  try {
    const file = join(folder, container, "backup.yaml");
    if ((await lstat(file)).size > MOST_BYTES) return false;
    const backup = backupSchema.parse(parseHostileYaml(await readFile(file, "utf8")));
    // Where the names differ the engine could not take it back (lxc/lxd issue 8071).
    return backup.container.name === container && backup.volume.name === container;
  } catch {
    return false;
  }
}

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";
import { instanceStatus } from "../../../engine/resources/instance.ts";
import { toJS } from "../../backups/parse-hostile-yaml.ts";
import { containersRun } from "../orphans/orphaned-containers.ts";
import { readBackupYaml } from "./pool-on-disk.ts";

const backupSchema = z.object({
  container: z.object({ name: z.string() }),
  volume: z.object({ name: z.string() }),
});

/**
 * Whether the database of an engine that does not run is reset at this start, as a site can want it for a machine with
 * a single container of that name (docs/contract.md#database-reset). Never while a container runs: then the machine did
 * not just boot.
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
    const document = await readBackupYaml(join(folder, container, layout.backupYaml));
    const backup = backupSchema.parse(toJS(document));
    // Where the names differ the engine cannot import it (lxc/lxd issue 8071).
    return backup.container.name === container && backup.volume.name === container;
  } catch {
    return false;
  }
}

/** The refusal of a reset that would lose a container, because its engine deletes it when it stops; undefined otherwise. */
export async function ephemeralRefusal(
  engine: Engine,
  signal: AbortSignal,
): Promise<TremplinError | undefined> {
  for (const { name: project } of await engine.projects.list({ signal })) {
    const instances = await engine.instances.list({ project, signal });
    const found = instances.find((each) => each.ephemeral && each.status_code !== instanceStatus.stopped);
    if (!found) continue;
    return new TremplinError(
      "invalid",
      `${found.name} is ephemeral, so it would be deleted when the reset stops it: clear its ephemeral flag first`,
    );
  }
  return undefined;
}

import type { Engine } from "../../../engine/engine.ts";
import { instanceStatus } from "../../../engine/resources/instance.ts";

/** The name of a container that its engine would delete when it stops it, in whatever project; undefined if there is none. */
export async function findEphemeral(engine: Engine, signal: AbortSignal): Promise<string | undefined> {
  for (const { name: project } of await engine.projects.list({ signal })) {
    const instances = await engine.instances.list({ project, signal });
    const found = instances.find((each) => each.ephemeral && each.status_code !== instanceStatus.stopped);
    if (found) return found.name;
  }
  return undefined;
}

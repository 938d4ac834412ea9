import { errorMessage } from "../../../base/tremplin-error.ts";
import { forceStop } from "../../containers/delete-container.ts";
import type { OperationDeps } from "../operation-deps.ts";
import { writeAptList } from "../start/write-apt-list.ts";

/** Seconds that a container may take to go down by itself before it is killed. */
const GRACE = 60;

/** Restarts a container, as a stop and a start by a person would. */
export async function restart(tools: OperationDeps, name: string, signal: AbortSignal): Promise<void> {
  const engine = tools.engine();
  try {
    const change = { action: "stop", timeout: GRACE } as const;
    await (await engine.instances.setState(name, change, { signal })).wait({ signal });
  } catch (error) {
    signal.throwIfAborted();
    tools.log.info(
      { container: name, reason: errorMessage(error) },
      "it does not stop by itself: using force",
    );
    await forceStop(engine, name, signal);
  }
  await writeAptList(tools, name, signal).catch((error) =>
    tools.log.error({ error }, "no package list written"),
  );
  await (await engine.instances.setState(name, { action: "start" }, { signal })).wait({ signal });
}

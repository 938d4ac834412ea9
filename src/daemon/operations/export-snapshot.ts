import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { deleteSnapshot, settle } from "./engine-work.ts";
import type { OperationContext } from "./operation.ts";
import { takeSteadySnapshot } from "./steady-snapshot.ts";

/** A snapshot for the time of one export. Disposing deletes it. */
export interface ExportSnapshot extends AsyncDisposable {
  readonly name: string;
}

/** What the snapshot of an export is called, and the image where one is made of it. */
export function exportSnapshotName(operationId: string): string {
  return `tremplin-export-${operationId}`;
}

/** Takes a snapshot of a container, running or not. */
export async function takeExportSnapshot(
  engine: Engine,
  container: string,
  context: OperationContext,
): Promise<ExportSnapshot> {
  const { id, log } = context;
  const name = exportSnapshotName(id);
  const release = async (): Promise<void> => {
    try {
      await settle(engine, container);
      await deleteExportSnapshot(engine, container, id);
    } catch (error) {
      // An engine that went away is waited for, and recovery deletes it then.
      if (TremplinError.from(error).code === "unavailable") throw error;
      log.error({ error, container, snapshot: name }, "the snapshot of an export could not be deleted");
    }
  };
  try {
    await takeSteadySnapshot(engine, container, name, context);
  } catch (error) {
    await release();
    throw error;
  }
  return { name, [Symbol.asyncDispose]: release };
}

/** Deletes the snapshot of an export, if there is one. */
export async function deleteExportSnapshot(
  engine: Engine,
  container: string,
  operationId: string,
  signal?: AbortSignal,
): Promise<void> {
  await deleteSnapshot(engine, container, exportSnapshotName(operationId), signal);
}

import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { errorMessage, TremplinError } from "../../../base/tremplin-error.ts";
import {
  type ContainerExportProgress,
  ContainerExportProgressSchema,
  type ExportContainerRequest,
  ExportContainerRequestSchema,
  ContainerExportProgress_Status as Status,
} from "../../../contract/tremplin_pb.js";
import type { Instance } from "../../../engine/resources/instance.ts";
import { snapshotFolder } from "../../../engine/storage/local-paths.ts";
import { compressorFor } from "../../backups/compressor.ts";
import { ExportMeter } from "../../backups/export-meter.ts";
import { packInto } from "../../backups/packed-file.ts";
import { deletePublished, publishSnapshot } from "../../backups/published-image.ts";
import { type LocalSnapshot, openSnapshotArchive } from "../../backups/snapshot-archive.ts";
import { resumePaused, takeConsistentSnapshot } from "../../containers/consistent-snapshot.ts";
import { findNotedContainer, noteContainer } from "../../containers/container-identity.ts";
import { deleteSnapshot, waitForPendingOperations } from "../../containers/delete-container.ts";
import { getContainer } from "../../containers/find-container.ts";
import { parseIdMap } from "../../guest/id-map.ts";
import type { NoticeInit } from "../../notices/notice.ts";
import { pollProgress } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import { concludeTarget } from "./conclude-target.ts";
import { openSharedTarget } from "./shared-target.ts";

type Progress = NoticeInit<"updateExportStatus">;

/**
 * Writes a backup of a container to the shared folder: of a snapshot, so that it may go on running, in one pass
 * from its files through the compressor to the disk (behaviour.md 5.10, 11).
 */
export function exportOperation(
  tools: OperationDeps,
): OperationKind<typeof ExportContainerRequestSchema, "updateExportStatus"> {
  async function exportTo(
    request: ExportContainerRequest,
    meter: ExportMeter,
    context: OperationContext,
  ): Promise<Progress> {
    await write(request, meter, context);
    await letGo(request.containerName, context);
    return done(request.containerName, meter);
  }

  async function write(
    { containerName: name, exportPath }: ExportContainerRequest,
    meter: ExportMeter,
    context: OperationContext,
  ): Promise<void> {
    const { signal, log } = context;
    await using target = await openSharedTarget(tools.places.shared, exportPath, context);
    const engine = tools.engine();
    const instance = await getContainer(engine, name, signal);
    await noteContainer(engine, instance, context, signal);
    const compressor = await compressorFor(target.name);
    const snapshot = exportSnapshotName(context.id);
    await takeConsistentSnapshot(engine, name, snapshot, context);
    const options = { meter, clock: tools.clock, signal, log };
    const folder = await snapshotFolder(engine, instance, snapshot);
    await using archive = folder
      ? await openSnapshotArchive(localSnapshot(instance, folder), options)
      : await publishSnapshot(
          engine,
          { instance: name, snapshot },
          { ...options, ending: context.shutdownSignal },
        );
    await packInto(target.file, compressor, meter, signal, archive.stream);
    await target.publish(toJsonString(ContainerExportProgressSchema, done(name, meter)));
  }

  /** The final message when the backup is there, whole; else what was begun of the file is removed. */
  async function concludeFile(context: OperationContext): Promise<Progress | undefined> {
    const message = await concludeTarget(tools.places.shared, context);
    return message === undefined ? undefined : fromJsonString(ContainerExportProgressSchema, message);
  }

  /** Takes away what an export leaves in the engine, whatever its container is called by now. */
  async function cleanUp(containerName: string, context: OperationContext): Promise<void> {
    const { id, shutdownSignal: signal } = context;
    const engine = tools.engine();
    await waitForPendingOperations(engine, containerName, signal);
    await engine.images.waitForUploads({ signal });
    await deletePublished(engine, exportSnapshotName(id), signal);
    const noted = await findNotedContainer(engine, containerName, context, signal);
    if (noted.is !== "same") return;
    const { name } = noted.instance;
    if (!noted.isUsedSince) await resumePaused(engine, name, context.steps, signal);
    await deleteSnapshot(engine, name, exportSnapshotName(id), signal);
  }

  /** As cleanUp, when the backup is whole: what cannot be deleted now is deleted later. */
  async function letGo(containerName: string, context: OperationContext): Promise<void> {
    try {
      await cleanUp(containerName, context);
    } catch (error) {
      context.shutdownSignal.throwIfAborted();
      if (TremplinError.from(error).code === "unavailable") throw error;
      context.log.error({ error }, "the backup is whole, but its snapshot could not be deleted yet");
      context.owe(`the snapshot ${exportSnapshotName(context.id)} is still there: ${errorMessage(error)}`);
    }
  }

  return {
    name: "export",
    request: ExportContainerRequestSchema,
    notify: "updateExportStatus",
    async *run(request, context) {
      const meter = new ExportMeter();
      const told = (): Progress => ({
        containerName: request.containerName,
        status: Status.EXPORTING_STREAMING,
        ...meter.read(),
      });
      return yield* pollProgress(exportTo(request, meter, context), told, tools.clock);
    },
    failed: unwritten(Status.FAILED),
    cancelled: unwritten(Status.CANCELLED),
    async recover({ containerName }, context) {
      const whole = await concludeFile(context);
      await (whole ? letGo : cleanUp)(containerName, context);
      return whole;
    },
    whole: (_request, context) => concludeFile(context),
    interrupted: ({ containerName }, cause) => `${cause} while it exported ${containerName}; export it again`,
  };
}

/** What the snapshot of an export is called, and the image where one is made of it. */
function exportSnapshotName(operationId: string): string {
  return `tremplin-export-${operationId}`;
}

function done(containerName: string, meter: ExportMeter): ContainerExportProgress {
  return create(ContainerExportProgressSchema, { containerName, status: Status.DONE, ...meter.read() });
}

function localSnapshot(instance: Instance, folder: string): LocalSnapshot {
  const idMap = parseIdMap(instance.expanded_config["volatile.last_state.idmap"] || "[]");
  return { folder, idMap, architecture: instance.architecture };
}

/** Ends with the counters that were told last and nothing to show for them: what was written was taken back. */
function unwritten(status: Status) {
  return (
    { containerName }: ExportContainerRequest,
    { message }: TremplinError,
    last?: Progress,
  ): Progress => ({
    ...last,
    containerName,
    status,
    failureReason: message,
    bytesExported: 0n,
  });
}

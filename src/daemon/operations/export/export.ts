import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { errorMessage, isUnavailable, type TremplinError } from "../../../base/tremplin-error.ts";
import {
  type ContainerExportProgress,
  ContainerExportProgressSchema,
  type ExportContainerRequest,
  ExportContainerRequestSchema,
  ContainerExportProgress_Status as Status,
} from "../../../contract/tremplin_pb.js";
import type { Instance } from "../../../engine/resources/instance.ts";
import { snapshotFolder } from "../../../engine/storage/local-paths.ts";
import { compressInto } from "../../backups/compressed-file.ts";
import { compressorFor } from "../../backups/compressor.ts";
import { ExportMeter } from "../../backups/export-meter.ts";
import { deletePublished, publishSnapshot } from "../../backups/published-image.ts";
import { type LocalSnapshot, openSnapshotArchive } from "../../backups/snapshot-archive.ts";
import { mayExceedFat } from "../../backups/write-error.ts";
import {
  snapshotSteps,
  takeConsistentSnapshot,
  unfreezeAfterSnapshot,
} from "../../containers/consistent-snapshot.ts";
import { findRecordedContainer, identitySteps, recordIdentity } from "../../containers/container-identity.ts";
import { deleteSnapshot } from "../../containers/delete-snapshot.ts";
import { getContainer } from "../../containers/find-container.ts";
import { waitForPendingOperations } from "../../containers/pending-operations.ts";
import { parseIdMap } from "../../guest/id-map.ts";
import type { NoticeInit } from "../../notices/notice.ts";
import { pollProgress } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import { recoverTarget } from "./recover-target.ts";
import { openSharedTarget } from "./shared-target.ts";
import { targetSteps } from "./target-steps.ts";

type Progress = NoticeInit<"updateExportStatus">;

const steps = { ...identitySteps, ...snapshotSteps, ...targetSteps };
type Context = OperationContext<typeof steps>;

/**
 * Writes a backup of a container to the shared folder. Reads a snapshot, so that the container may keep running, and
 * compresses and writes its files in one pass (docs/contract.md#exportcontainer, docs/contract.md#backup-file-format).
 */
export function exportOperation(
  deps: OperationDeps,
): OperationKind<typeof ExportContainerRequestSchema, "updateExportStatus", typeof steps> {
  return {
    name: "export",
    request: ExportContainerRequestSchema,
    notify: "updateExportStatus",
    steps,
    async *run(request, context) {
      const meter = new ExportMeter();
      const { containerName } = request;
      // Hosts divide by the totals.
      const current = (): Progress | undefined =>
        meter.hasTotals ? { containerName, status: Status.EXPORTING_STREAMING, ...meter.read() } : undefined;
      return yield* pollProgress(exportTo(deps, request, meter, context), current, deps.clock);
    },
    failed: withoutBackup(Status.FAILED),
    cancelled: withoutBackup(Status.CANCELLED),
    async recover({ containerName }, context) {
      const whole = await recoverFile(deps, context);
      await (whole ? cleanUpAfterSuccess : cleanUp)(deps, containerName, context);
      return whole;
    },
    whole: (_request, context) => recoverFile(deps, context),
    interrupted: ({ containerName }, cause) => `${cause} while it exported ${containerName}; export it again`,
  };
}

async function exportTo(
  deps: OperationDeps,
  request: ExportContainerRequest,
  meter: ExportMeter,
  context: Context,
): Promise<Progress> {
  const remark = await write(deps, request, meter, context);
  await cleanUpAfterSuccess(deps, request.containerName, context);
  return done(request.containerName, meter, remark);
}

/** Returns what is not in the backup, as a sentence for people; empty when all is. */
async function write(
  deps: OperationDeps,
  { containerName: name, exportPath }: ExportContainerRequest,
  meter: ExportMeter,
  context: Context,
): Promise<string> {
  const { signal, log } = context;
  await using target = await openSharedTarget(deps.places.shared, exportPath, context);
  const engine = deps.engine();
  const instance = await getContainer(engine, name, signal);
  await recordIdentity(engine, instance, context, signal);
  const compressor = await compressorFor(target.name);
  const snapshot = exportSnapshotName(context.id);
  await takeConsistentSnapshot(engine, name, snapshot, context);
  const options = { meter, clock: deps.clock, signal, log };
  const folder = await snapshotFolder(engine, instance, snapshot);
  await using archive = folder
    ? await openSnapshotArchive(localSnapshot(instance, folder), options)
    : await publishSnapshot(
        engine,
        { instance: name, snapshot },
        { ...options, shutdownSignal: context.shutdownSignal },
      );
  if (await mayExceedFat(target.file, meter.read().totalInputBytes))
    log.warn({ path: exportPath }, "the backup is written to FAT, and the export fails if it reaches 4 GiB");
  const isSynced = await compressInto(target.file, compressor, meter, signal, archive.stream);
  if (!isSynced) log.warn({ path: exportPath }, "the file system of the backup cannot sync it to its disk");
  const remark = archive.remark();
  await target.publish(toJsonString(ContainerExportProgressSchema, done(name, meter, remark)));
  return remark;
}

/** The final message of a whole backup; otherwise removes the unfinished file and returns undefined. */
async function recoverFile(deps: OperationDeps, context: Context): Promise<Progress | undefined> {
  const message = await recoverTarget(deps.places.shared, context);
  return message === undefined ? undefined : fromJsonString(ContainerExportProgressSchema, message);
}

/** Removes the snapshot and the image of the export from the engine, also when the container was renamed since. */
async function cleanUp(deps: OperationDeps, containerName: string, context: Context): Promise<void> {
  const { id, shutdownSignal: signal } = context;
  const engine = deps.engine();
  await waitForPendingOperations(engine, containerName, signal);
  await engine.images.waitForUploads({ signal });
  await deletePublished(engine, exportSnapshotName(id), signal);
  const match = await findRecordedContainer(engine, containerName, context, signal);
  if (match.is !== "same") return;
  const { name } = match.instance;
  if (!match.wasUsedSince) await unfreezeAfterSnapshot(engine, name, context.steps, signal);
  await deleteSnapshot(engine, name, exportSnapshotName(id), signal);
}

/** Like `cleanUp`, for a whole backup: what cannot be deleted now is owed. */
async function cleanUpAfterSuccess(
  deps: OperationDeps,
  containerName: string,
  context: Context,
): Promise<void> {
  try {
    await cleanUp(deps, containerName, context);
  } catch (error) {
    context.shutdownSignal.throwIfAborted();
    if (isUnavailable(error)) throw error;
    context.log.error({ error }, "the backup is whole, but its snapshot could not be deleted yet");
    context.owe(`the snapshot ${exportSnapshotName(context.id)} is still there: ${errorMessage(error)}`);
  }
}

/** The name of the snapshot of an export, and of the image that may be made of it. */
function exportSnapshotName(operationId: string): string {
  return `tremplin-export-${operationId}`;
}

/** The remark for a person is sent in the field of a failure's reason. */
function done(containerName: string, meter: ExportMeter, remark: string): ContainerExportProgress {
  const counters = meter.read();
  const status = Status.DONE;
  return create(ContainerExportProgressSchema, { containerName, status, failureReason: remark, ...counters });
}

function localSnapshot(instance: Instance, folder: string): LocalSnapshot {
  const idMap = parseIdMap(instance.expanded_config["volatile.last_state.idmap"] || "[]");
  return { folder, idMap, architecture: instance.architecture };
}

/** The final message of an export that left no backup, with the counters of its last progress. */
function withoutBackup(status: Status) {
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

import { temporaryName } from "../../../base/temporary-name.ts";
import {
  type ImportContainerRequest,
  ImportContainerRequestSchema,
  ContainerImportProgress_Status as Status,
} from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import type { EngineDevices } from "../../backups/engine-devices.ts";
import { InsufficientSpace } from "../../backups/free-space.ts";
import type { NoticeInit } from "../../notices/notice.ts";
import { failureMessages } from "../failure-messages.ts";
import { pollProgress } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationKind } from "../runner/operation.ts";
import { ImportBar } from "./import-bar.ts";
import { type OpenBackup, openBackup, WrongArchitecture } from "./open-backup.ts";
import { recoverReplacement } from "./recover-replacement.ts";
import { checkReplaceable, type ImportContext, importSteps, replaceContainer } from "./replace-container.ts";
import { secureTemplates } from "./secure-templates.ts";
import { type UnpackedBackup, unpackBackup } from "./unpack-backup.ts";
import { stopUnpacking, unpackImage } from "./unpack-image.ts";
import { uploadBackup } from "./upload-backup.ts";

/** For the removal of all devices of a static /dev. */
const REMOVAL_LIMIT_MS = 60_000;

type Progress = NoticeInit<"updateImportStatus">;

/**
 * Makes a container from a backup and replaces the one that has the name (docs/contract.md#importcontainer). The new
 * container has a temporary name until it is whole; only then is the old one touched.
 */
export function importOperation(
  deps: OperationDeps,
): OperationKind<typeof ImportContainerRequestSchema, "updateImportStatus", typeof importSteps> {
  const { failed, cancelled } = failureMessages(Status);
  return {
    name: "import",
    request: ImportContainerRequestSchema,
    notify: "updateImportStatus",
    steps: importSteps,
    run: (request, context) => run(deps, request, context),
    failed: (request, error) => ({ ...failed(request, error), ...details(error.cause) }),
    cancelled,
    async recover({ containerName }, context, interruption) {
      const engine = deps.engine();
      await stopUnpacking(engine, context);
      const { isReplaced, remark } = await recoverReplacement(deps, containerName, context);
      await deps.uploads.removeUploads(engine, context.id, context.signal);
      if (isReplaced) return { containerName, status: Status.DONE };
      if (!remark) return undefined;
      const failureReason = `the import did not end (${interruption}): ${remark}`;
      return { containerName, status: Status.FAILED, failureReason };
    },
    interrupted: ({ containerName }, cause) =>
      `${cause} while it imported ${containerName}, which is as it was before; import it again`,
  };
}

async function* run(
  deps: OperationDeps,
  request: ImportContainerRequest,
  context: ImportContext,
): AsyncGenerator<Progress, Progress, void> {
  const { containerName } = request;
  const bar = new ImportBar(deps.clock);
  const current = (): Progress => ({ containerName, ...bar.read() });
  const { remark } = yield* pollProgress(importBackup(deps, request, context, bar), current, deps.clock);
  // As in other successes, the remark for a person is sent in the field of a failure's reason.
  return { containerName, status: Status.DONE, ...(remark && { failureReason: remark }) };
}

async function importBackup(
  deps: OperationDeps,
  request: ImportContainerRequest,
  context: ImportContext,
  bar: ImportBar,
): Promise<UnpackedBackup> {
  const { containerName } = request;
  const { signal } = context;
  const replaceable = await checkReplaceable(deps.engine(), containerName, signal);
  await using backup = await openBackup(deps.engine(), request, deps.places.shared, signal);
  const made = await makeContainer(deps, containerName, backup, context, bar);
  const { targets } = backup.metadata;
  await secureTemplates(deps.engine(), temporaryName("import", context.id), targets, context);
  signal.throwIfAborted();
  await replaceContainer(deps, containerName, replaceable, context);
  return made;
}

/** Makes the temporary container. */
async function makeContainer(
  deps: OperationDeps,
  containerName: string,
  backup: OpenBackup,
  context: ImportContext,
  bar: ImportBar,
): Promise<UnpackedBackup> {
  const { size } = await backup.file.stat();
  const onRead = (bytes: number): void => bar.moveBytes(bytes, size);
  const name = temporaryName("import", context.id);
  bar.begin(1);
  const unpacked = await unpackBackup(deps.engine(), name, backup, context, onRead);
  if (unpacked) return unpacked;
  bar.begin(1 / 2);
  const { image, devices } = await uploadBackup(deps, containerName, backup, context, onRead);
  await using uploaded = image;
  bar.begin(1);
  await unpackImage(deps.engine(), uploaded, context, ({ percent, speed }) => bar.move(percent, 100, speed));
  const { remark } = devices;
  if (remark) await removeDevices(deps.engine(), name, devices, context);
  return { remark };
}

/** Removes devices that no container may have from the temporary container, which never ran. */
async function removeDevices(
  engine: Engine,
  name: string,
  devices: EngineDevices,
  { signal, log }: ImportContext,
): Promise<void> {
  using files = await engine.fileSession(name, { signal, timeoutMs: REMOVAL_LIMIT_MS });
  await devices.remove(files);
  log.warn({ remark: devices.remark }, "parts of the backup were left out");
}

/** The fields of the failures for which the contract has a status of their own. */
function details(cause: unknown) {
  if (cause instanceof InsufficientSpace) {
    return {
      status: Status.FAILED_SPACE,
      diskSpaceAvailableBytes: cause.availableBytes,
      diskSpaceRequiredBytes: cause.requiredBytes,
    };
  }
  if (cause instanceof WrongArchitecture) {
    return {
      status: Status.FAILED_ARCHITECTURE,
      architectureDevice: cause.device,
      architectureContainer: cause.container,
    };
  }
  return {};
}

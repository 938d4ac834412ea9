import {
  type ImportContainerRequest,
  ImportContainerRequestSchema,
  ContainerImportProgress_Status as Status,
} from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import type { EngineOperation } from "../../../engine/operations/engine-operation.ts";
import { type UnpackProgress, unpackProgress } from "../../../engine/operations/progress.ts";
import { ImportMeter } from "../../backups/import-meter.ts";
import { InsufficientSpace } from "../../backups/space.ts";
import { temporaryName } from "../../containers/temporary-name.ts";
import type { NoticeInit } from "../../notices/notice.ts";
import { failureMessages } from "../failure-messages.ts";
import { pollProgress } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import { type UploadedImageSource, uploadsOf } from "../uploaded-images.ts";
import { type OpenBackup, openBackup, WrongArchitecture } from "./open-backup.ts";
import { recoverReplacement } from "./recover-replacement.ts";
import { checkReplaceable, type ImportContext, importSteps, replaceContainer } from "./replace-container.ts";
import { secureTemplates } from "./secure-templates.ts";
import { unpackBackup } from "./unpack-backup.ts";
import { uploadBackup } from "./upload-backup.ts";

type Progress = NoticeInit<"updateImportStatus">;

/**
 * Makes a container from a backup and replaces the one that has the name (docs/contract.md#importcontainer). The new
 * container has a temporary name until it is whole; only then is the old one touched.
 */
export function importOperation(
  deps: OperationDeps,
): OperationKind<typeof ImportContainerRequestSchema, "updateImportStatus", typeof importSteps> {
  async function* run(
    request: ImportContainerRequest,
    context: ImportContext,
  ): AsyncGenerator<Progress, Progress, void> {
    const { containerName } = request;
    const { signal } = context;
    let last: Progress = { containerName, status: Status.IMPORTING_UPLOAD };
    const keep = (progress: Progress): Progress => {
      last = progress;
      return progress;
    };
    await using stack = new AsyncDisposableStack();
    const replaceable = await checkReplaceable(deps.engine(), containerName, signal);
    const opening = openBackup(deps.engine(), request, deps.places.shared, signal);
    const backup = stack.use(yield* pollProgress(opening, () => last, deps.clock));
    const links =
      (yield* unpackLocally(containerName, backup, context, keep)) ??
      (yield* uploadAndUnpack(containerName, backup, context, stack, keep));
    const finish = async (): Promise<void> => {
      const { targets } = backup.metadata;
      await secureTemplates(deps.engine(), temporaryName("import", context.id), { targets, links }, context);
      signal.throwIfAborted();
      await replaceContainer(deps, containerName, replaceable, context);
    };
    yield* pollProgress(finish(), () => last, deps.clock);
    return { containerName, status: Status.DONE };
  }

  /** Returns undefined when only the engine can unpack the backup. */
  function unpackLocally(
    containerName: string,
    backup: OpenBackup,
    context: OperationContext,
    keep: (progress: Progress) => Progress,
  ) {
    const name = temporaryName("import", context.id);
    const work = (onRead: (bytes: number) => void) =>
      unpackBackup(deps.engine(), name, backup, context, onRead);
    return metered(backup, work, (read) => keep({ containerName, status: Status.IMPORTING_UNPACK, ...read }));
  }

  async function* uploadAndUnpack(
    containerName: string,
    backup: OpenBackup,
    context: OperationContext,
    stack: AsyncDisposableStack,
    keep: (progress: Progress) => Progress,
  ) {
    const work = (onRead: (bytes: number) => void) =>
      uploadBackup(deps, containerName, backup, context, onRead);
    const { image, links } = yield* metered(backup, work, (read) =>
      keep({ containerName, status: Status.IMPORTING_UPLOAD, ...read }),
    );
    stack.use(image);
    yield* unpack(containerName, image, context, keep);
    return links;
  }

  /** Reports how much of the backup's file `work` has read. */
  async function* metered<T>(
    { file }: OpenBackup,
    work: (onRead: (bytes: number) => void) => Promise<T>,
    progress: (read: ReturnType<ImportMeter["read"]>) => Progress,
  ): AsyncGenerator<Progress, T, void> {
    const meter = new ImportMeter(deps.clock, (await file.stat()).size);
    return yield* pollProgress(work(meter.reached), () => progress(meter.read()), deps.clock);
  }

  async function* unpack(
    containerName: string,
    image: UploadedImageSource,
    { id, signal, shutdownSignal }: OperationContext,
    keep: (progress: Progress) => Progress,
  ): AsyncGenerator<Progress, void, void> {
    const engine = deps.engine();
    const instance = temporaryName("import", id);
    let unpacked: UnpackProgress = { percent: 0, speed: 0 };
    const follow = async (creation: EngineOperation): Promise<void> => {
      for await (const update of creation.updates(signal)) unpacked = unpackProgress(update) ?? unpacked;
      await creation.wait({ signal });
    };
    const create = async (): Promise<void> => {
      const creation = await engine.instances.create({ name: instance, source: image.source }, { signal });
      try {
        await follow(creation);
      } catch (error) {
        // Not while another import of the same file needs the unpacked image.
        if (signal.aborted && !shutdownSignal.aborted && !image.isShared) {
          await engine.unpackers.stop(creation, { fingerprint: image.fingerprint, instance });
        }
        throw error;
      }
    };
    const current = (): Progress =>
      keep({
        containerName,
        status: Status.IMPORTING_UNPACK,
        progressPercent: unpacked.percent,
        progressSpeed: BigInt(unpacked.speed),
      });
    yield* pollProgress(create(), current, deps.clock);
  }

  const { failed, cancelled } = failureMessages(Status);
  return {
    name: "import",
    request: ImportContainerRequestSchema,
    notify: "updateImportStatus",
    steps: importSteps,
    run,
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

  /** Stops the engine where it still unpacks the backup. */
  async function stopUnpacking(engine: Engine, { id, signal }: OperationContext): Promise<void> {
    const instance = temporaryName("import", id);
    for (const creation of await engine.operations.changing(instance, { signal })) {
      const [image] = await uploadsOf(engine, id, signal);
      const fingerprint = image?.fingerprint ?? instance;
      await engine.unpackers.stop(creation, { fingerprint, instance }, { signal });
    }
  }
}

/** The fields of the failures for which the contract has a status of their own. */
function details(cause: unknown) {
  if (cause instanceof InsufficientSpace) {
    return {
      status: Status.FAILED_SPACE,
      diskSpaceAvailableBytes: BigInt(Math.floor(cause.room.available)),
      diskSpaceRequiredBytes: BigInt(Math.ceil(cause.required)),
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

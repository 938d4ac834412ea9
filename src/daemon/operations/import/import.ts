import {
  type ImportContainerRequest,
  ImportContainerRequestSchema,
  ContainerImportProgress_Status as Status,
} from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import type { EngineOperation } from "../../../engine/operations/engine-operation.ts";
import { type UnpackProgress, unpackProgress } from "../../../engine/operations/progress.ts";
import { InsufficientSpace } from "../../backups/free-space.ts";
import { ImportMeter } from "../../backups/import-meter.ts";
import { temporaryName } from "../../containers/temporary-name.ts";
import type { NoticeInit } from "../../notices/notice.ts";
import { removeUpload, type UploadedSource, uploadsOf } from "../create/image-source.ts";
import { failureMessages } from "../failure-messages.ts";
import { pollProgress } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import { type OpenBackup, openBackup, WrongArchitecture } from "./open-backup.ts";
import { checkReplaceable, replaceContainer, undoReplacement } from "./replace-container.ts";
import { secureTemplates } from "./secure-templates.ts";
import { unpackBackup } from "./unpack-backup.ts";
import { uploadBackup } from "./upload-backup.ts";

type Progress = NoticeInit<"updateImportStatus">;

/**
 * Makes a container from a backup, in the place of the one that has the name (behaviour.md 5.13). The new one is
 * made under a temporary name; until it is whole the old one is not touched.
 */
export function importOperation(
  tools: OperationDeps,
): OperationKind<typeof ImportContainerRequestSchema, "updateImportStatus"> {
  async function* run(
    request: ImportContainerRequest,
    context: OperationContext,
  ): AsyncGenerator<Progress, Progress, void> {
    const { containerName } = request;
    const { signal } = context;
    let last: Progress = { containerName, status: Status.IMPORTING_UPLOAD };
    const keep = (progress: Progress): Progress => {
      last = progress;
      return progress;
    };
    await using stack = new AsyncDisposableStack();
    const replaceable = await checkReplaceable(tools.engine(), containerName, signal);
    const opening = openBackup(tools.engine(), request, tools.places.shared, signal);
    const backup = stack.use(yield* pollProgress(opening, () => last, tools.clock));
    const links =
      (yield* unpackHere(containerName, backup, context, keep)) ??
      (yield* throughImage(containerName, backup, context, stack, keep));
    const finish = async (): Promise<void> => {
      const { targets } = backup.metadata;
      await secureTemplates(tools.engine(), temporaryName("import", context.id), { targets, links }, context);
      signal.throwIfAborted();
      await replaceContainer(tools, containerName, replaceable, context);
    };
    yield* pollProgress(finish(), () => last, tools.clock);
    return { containerName, status: Status.DONE };
  }

  /** Answers nothing when only the engine can unpack it. */
  function unpackHere(
    containerName: string,
    backup: OpenBackup,
    context: OperationContext,
    keep: (progress: Progress) => Progress,
  ) {
    const name = temporaryName("import", context.id);
    const work = (tell: (bytes: number) => void) => unpackBackup(tools.engine(), name, backup, context, tell);
    return metered(backup, work, (read) => keep({ containerName, status: Status.IMPORTING_UNPACK, ...read }));
  }

  async function* throughImage(
    containerName: string,
    backup: OpenBackup,
    context: OperationContext,
    stack: AsyncDisposableStack,
    keep: (progress: Progress) => Progress,
  ) {
    const work = (tell: (bytes: number) => void) =>
      uploadBackup(tools.engine(), containerName, backup, context, tell);
    const { image, links } = yield* metered(backup, work, (read) =>
      keep({ containerName, status: Status.IMPORTING_UPLOAD, ...read }),
    );
    stack.use(image);
    yield* unpack(containerName, image, context, keep);
    return links;
  }

  /** Work that tells the bytes of the backup's file that it has read, as progress. */
  async function* metered<T>(
    { file }: OpenBackup,
    work: (tell: (bytes: number) => void) => Promise<T>,
    told: (read: ReturnType<ImportMeter["read"]>) => Progress,
  ): AsyncGenerator<Progress, T, void> {
    const meter = new ImportMeter(tools.clock, (await file.stat()).size);
    return yield* pollProgress(work(meter.setBytes), () => told(meter.read()), tools.clock);
  }

  async function* unpack(
    containerName: string,
    image: UploadedSource,
    { id, signal, shutdownSignal }: OperationContext,
    keep: (progress: Progress) => Progress,
  ): AsyncGenerator<Progress, void, void> {
    const engine = tools.engine();
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
        // Another import of the same file needs what is unpacked: then its end is waited for.
        if (signal.aborted && !shutdownSignal.aborted && !image.isShared) {
          await engine.unpackers.stop(creation, { fingerprint: image.fingerprint, instance });
        }
        throw error;
      }
    };
    const told = (): Progress =>
      keep({
        containerName,
        status: Status.IMPORTING_UNPACK,
        progressPercent: unpacked.percent,
        progressSpeed: BigInt(unpacked.speed),
      });
    yield* pollProgress(create(), told, tools.clock);
  }

  const { failed, cancelled } = failureMessages(Status);
  return {
    name: "import",
    request: ImportContainerRequestSchema,
    notify: "updateImportStatus",
    run,
    failed: (request, error) => ({ ...failed(request, error), ...details(error.cause) }),
    cancelled,
    async recover({ containerName }, context, interruption) {
      const engine = tools.engine();
      await stopUnpacking(engine, context);
      const { inPlace, remark } = await undoReplacement(tools, containerName, context);
      await removeUpload(engine, context.id, context.signal);
      if (inPlace) return { containerName, status: Status.DONE };
      if (!remark) return undefined;
      const failureReason = `the import did not end (${interruption}): ${remark}`;
      return { containerName, status: Status.FAILED, failureReason };
    },
    interrupted: ({ containerName }, cause) =>
      `${cause} while it imported ${containerName}, which is as it was before; import it again`,
  };

  /** An engine that still unpacks what nobody needs any more. */
  async function stopUnpacking(engine: Engine, { id, signal }: OperationContext): Promise<void> {
    const instance = temporaryName("import", id);
    for (const creation of await engine.operations.changing(instance, { signal })) {
      const [image] = await uploadsOf(engine, id, signal);
      const fingerprint = image?.fingerprint ?? instance;
      await engine.unpackers.stop(creation, { fingerprint, instance }, { signal });
    }
  }
}

/** What a host shows besides the reason, for the failures that it has words of its own for. */
function details(cause: unknown) {
  if (cause instanceof InsufficientSpace) {
    return {
      status: Status.FAILED_SPACE,
      diskSpaceAvailableBytes: BigInt(Math.floor(cause.target.available)),
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

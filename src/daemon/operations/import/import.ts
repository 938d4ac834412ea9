import {
  type ImportContainerRequest,
  ImportContainerRequestSchema,
  ContainerImportProgress_Status as Status,
} from "../../../contract/tremplin_pb.js";
import { InsufficientSpace } from "../../backups/free-space.ts";
import { ImportMeter } from "../../backups/import-meter.ts";
import { temporaryName } from "../../containers/temporary-name.ts";
import type { NoticeInit } from "../../notices/notice.ts";
import { failureMessages } from "../failure-messages.ts";
import { pollProgress } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationKind } from "../runner/operation.ts";
import { type OpenBackup, openBackup, WrongArchitecture } from "./open-backup.ts";
import { recoverReplacement } from "./recover-replacement.ts";
import { checkReplaceable, type ImportContext, importSteps, replaceContainer } from "./replace-container.ts";
import { secureTemplates } from "./secure-templates.ts";
import { unpackBackup } from "./unpack-backup.ts";
import { stopUnpacking, unpackImage } from "./unpack-image.ts";
import { uploadBackup } from "./upload-backup.ts";

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

/** What all parts of an import need. */
interface ImportJob {
  readonly containerName: string;
  readonly backup: OpenBackup;
  readonly context: ImportContext;
}

type OnRead = (bytes: number) => void;

async function* run(
  deps: OperationDeps,
  request: ImportContainerRequest,
  context: ImportContext,
): AsyncGenerator<Progress, Progress, void> {
  const { containerName } = request;
  const { signal } = context;
  let last: Progress = { containerName, status: Status.IMPORTING_UPLOAD };
  async function* remember<R>(messages: AsyncGenerator<Progress, R, void>) {
    for (;;) {
      const { done, value } = await messages.next();
      if (done) return value;
      last = value;
      yield value;
    }
  }
  await using stack = new AsyncDisposableStack();
  const replaceable = await checkReplaceable(deps.engine(), containerName, signal);
  const opening = openBackup(deps.engine(), request, deps.places.shared, signal);
  const backup = stack.use(yield* pollProgress(opening, () => last, deps.clock));
  const job = { containerName, backup, context };
  const links =
    (yield* remember(unpackLocally(deps, job))) ?? (yield* remember(uploadAndUnpack(deps, job, stack)));
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
function unpackLocally(deps: OperationDeps, { containerName, backup, context }: ImportJob) {
  const name = temporaryName("import", context.id);
  const work = (onRead: OnRead) => unpackBackup(deps.engine(), name, backup, context, onRead);
  return metered(deps, backup, work, (read) => ({
    containerName,
    status: Status.IMPORTING_UNPACK,
    ...read,
  }));
}

async function* uploadAndUnpack(
  deps: OperationDeps,
  { containerName, backup, context }: ImportJob,
  stack: AsyncDisposableStack,
) {
  const work = (onRead: OnRead) => uploadBackup(deps, containerName, backup, context, onRead);
  const { image, links } = yield* metered(deps, backup, work, (read) => ({
    containerName,
    status: Status.IMPORTING_UPLOAD,
    ...read,
  }));
  stack.use(image);
  yield* unpackImage(deps, containerName, image, context);
  return links;
}

/** Reports how much of the backup's file `work` has read. */
async function* metered<T>(
  { clock }: OperationDeps,
  { file }: OpenBackup,
  work: (onRead: OnRead) => Promise<T>,
  progress: (read: ReturnType<ImportMeter["read"]>) => Progress,
): AsyncGenerator<Progress, T, void> {
  const meter = new ImportMeter(clock, (await file.stat()).size);
  return yield* pollProgress(work(meter.setBytes), () => progress(meter.read()), clock);
}

/** The fields of the failures for which the contract has a status of their own. */
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

import * as z from "zod";
import { TremplinError } from "../../../base/tremplin-error.ts";
import {
  type CreateContainerRequest,
  CreateContainerRequestSchema,
  ContainerCreationProgress_Status as Status,
} from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import type { EngineOperation } from "../../../engine/operations/engine-operation.ts";
import { downloadProgress } from "../../../engine/operations/progress.ts";
import { deleteUnused } from "../../containers/delete-container.ts";
import { findContainer, getContainer, uuidOf } from "../../containers/find-container.ts";
import { cancelPendingOperations } from "../../containers/pending-operations.ts";
import { isUnprovisioned, markCreated } from "../../containers/provisioned-mark.ts";
import { temporaryName } from "../../containers/temporary-name.ts";
import type { NoticeInit } from "../../notices/notice.ts";
import { withHeartbeat } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import { serverImage, tarballImage } from "./image-source.ts";

type Progress = NoticeInit<"updateCreateStatus">;

/** Hosts extend their timeout on each message. */
const HEARTBEAT_MS = 30_000;
/** A download that has not moved for this long has failed. */
const STALLED_MS = 5 * 60_000;

/** `fresh`: which container is the new one, written before it gets its name. */
const steps = { fresh: z.string() };
type Context = OperationContext<typeof steps>;

/**
 * Creates a container under a temporary name, marks it as created by this daemon, and renames it when it is whole
 * (docs/contract.md#createcontainer). First deletes a container of that name that was never provisioned.
 */
export function createOperation(
  deps: OperationDeps,
): OperationKind<typeof CreateContainerRequestSchema, "updateCreateStatus", typeof steps> {
  return {
    name: "create",
    request: CreateContainerRequestSchema,
    notify: "updateCreateStatus",
    steps,
    run: (request, context) => run(deps, request, context),
    failed: ({ containerName }, { code, message }) => ({
      containerName,
      status: code === "timed-out" ? Status.DOWNLOAD_TIMED_OUT : Status.FAILED,
      failureReason: message,
    }),
    cancelled: ({ containerName }, cause) => ({
      containerName,
      status: Status.CANCELLED,
      failureReason: cause.message,
    }),
    async recover({ containerName }, context) {
      const { id, signal } = context;
      const engine = deps.engine();
      await discard(deps, temporaryName("create", id), context);
      await deps.uploads.removeUploads(engine, id, signal);
      const found = await findContainer(engine, containerName, signal);
      const isCreated = found !== undefined && context.steps.fresh === uuidOf(found);
      return isCreated ? { containerName, status: Status.CREATED } : undefined;
    },
    interrupted: ({ containerName }, cause) => `${cause} while it created ${containerName}; create it again`,
  };
}

async function* run(
  deps: OperationDeps,
  request: CreateContainerRequest,
  context: Context,
): AsyncGenerator<Progress, Progress, void> {
  const engine = deps.engine();
  const { id, signal } = context;
  const { containerName } = request;
  const temporary = temporaryName("create", id);
  await makeRoom(engine, containerName, context);
  await using image = request.rootfsPath
    ? await tarballImage(engine, request, deps, context)
    : serverImage(request, deps.milestone);
  const creation = await engine.instances.create({ name: temporary, source: image.source }, { signal });
  yield* follow(deps, creation, containerName, signal);
  await markCreated(engine, temporary, signal);
  await context.step("fresh", uuidOf(await getContainer(engine, temporary, signal)));
  await (await engine.instances.rename(temporary, containerName, { signal })).wait({ signal });
  return { containerName, status: Status.CREATED };
}

/** Deletes a container of that name that was never provisioned. The lock keeps other operations away from it. */
async function makeRoom(engine: Engine, name: string, { signal, log }: Context): Promise<void> {
  const found = await findContainer(engine, name, signal);
  if (!found) return;
  if (!(await isUnprovisioned(engine, found, signal))) {
    throw new TremplinError("exists", `there is a container ${name} already; start it, or delete it first`);
  }
  log.warn("replacing a container that was created but never started");
  if (await deleteUnused(engine, name, signal)) return;
  throw new TremplinError("exists", `a user has just started ${name}, so it is not replaced`);
}

/** Reports the percentage of the download. Throws `timed-out` when it stops moving. */
async function* follow(
  deps: OperationDeps,
  creation: EngineOperation,
  containerName: string,
  signal: AbortSignal,
): AsyncGenerator<Progress, void, void> {
  let percent = 0;
  const current = (): Progress => ({
    containerName,
    status: Status.DOWNLOADING,
    downloadProgress: percent,
  });
  async function* download(): AsyncGenerator<Progress, void, void> {
    for await (const update of creation.updates(signal)) {
      const now = downloadProgress(update);
      // The engine sends its events in parallel, so an older one may come later.
      if (now === undefined || now < percent) continue;
      percent = now;
      yield current();
    }
    await creation.wait({ signal });
  }
  yield* withHeartbeat(download(), { every: HEARTBEAT_MS, clock: deps.clock }, (silence) => {
    if (silence < STALLED_MS || percent === 100) return current();
    throw new TremplinError(
      "timed-out",
      `the download has stood still at ${percent} % for ${silence / 1000} s`,
    );
  });
}

/** Deletes the temporary container, unless a user has started it. */
async function discard(deps: OperationDeps, temporary: string, { signal, log }: Context): Promise<void> {
  const engine = deps.engine();
  await cancelPendingOperations(engine, temporary, signal);
  if (!(await deleteUnused(engine, temporary, signal, { own: true }))) {
    log.warn({ temporary }, "a user started the temporary container: leaving it");
  }
}

import * as z from "zod";
import { temporaryName } from "../../../base/temporary-name.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import {
  type CreateContainerRequest,
  CreateContainerRequestSchema,
  ContainerCreationProgress_Status as Status,
} from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import type { EngineOperation } from "../../../engine/operations/engine-operation.ts";
import type { InstanceSource } from "../../../engine/resources/instance.ts";
import { deleteUnused } from "../../containers/delete-container.ts";
import { findContainer, getContainer, uuidOf } from "../../containers/find-container.ts";
import { cancelPendingOperations } from "../../containers/pending-operations.ts";
import { isUnprovisioned, markCreated } from "../../containers/provisioned-mark.ts";
import type { NoticeInit } from "../../notices/notice.ts";
import { fromPromise, withHeartbeat } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import { ImageProgress, StalledDownload } from "./image-progress.ts";
import { serverImage, tarballImage } from "./image-source.ts";

type Progress = NoticeInit<"updateCreateStatus">;

/** Hosts extend their timeout on each message. */
const HEARTBEAT_MS = 30_000;
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
    failed: ({ containerName }, { cause, message }) => ({
      containerName,
      status: cause instanceof StalledDownload ? Status.DOWNLOAD_TIMED_OUT : Status.FAILED,
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
      await discardTemporary(deps, temporaryName("create", id), context);
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
  const progress = new ImageProgress();
  const current = (): Progress => ({
    containerName,
    status: Status.DOWNLOADING,
    downloadProgress: progress.percent,
  });
  const beating = <R>(work: Promise<R>) =>
    withHeartbeat(fromPromise(work), { every: HEARTBEAT_MS, clock: deps.clock }, current);
  yield* beating(makeRoom(engine, containerName, context));
  await using image = yield* beating(imageOf(engine, request, deps, context));
  const { source } = image;
  const creation = await engine.instances.create({ name: temporary, source }, { signal });
  yield* follow(deps, creation, { source, progress, current, signal });
  yield* beating(giveName(engine, temporary, containerName, context));
  return { containerName, status: Status.CREATED };
}

async function imageOf(
  engine: Engine,
  request: CreateContainerRequest,
  deps: OperationDeps,
  context: Context,
) {
  return request.rootfsPath
    ? await tarballImage(engine, request, deps, context)
    : serverImage(request, deps.milestone);
}

async function giveName(engine: Engine, temporary: string, name: string, context: Context): Promise<void> {
  const { signal } = context;
  await markCreated(engine, temporary, signal);
  await context.step("fresh", uuidOf(await getContainer(engine, temporary, signal)));
  await (await engine.instances.rename(temporary, name, { signal })).wait({ signal });
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

interface Following {
  readonly source: InstanceSource;
  readonly progress: ImageProgress;
  readonly current: () => Progress;
  readonly signal: AbortSignal;
}

/** Reports the percentage of the download. Throws `timed-out` when that stops moving. */
async function* follow(
  { engine, clock }: OperationDeps,
  creation: EngineOperation,
  { source, progress, current, signal }: Following,
): AsyncGenerator<Progress, void, void> {
  async function* reports(): AsyncGenerator<Progress, void, void> {
    for await (const update of creation.updates(signal)) if (progress.update(update)) yield current();
    await creation.wait({ signal });
  }
  yield* withHeartbeat(reports(), { every: HEARTBEAT_MS, clock }, async () => {
    const stalledFor = await progress.stalledFor(HEARTBEAT_MS, engine(), source);
    if (stalledFor === undefined) return current();
    const sentence = `the download has stood still at ${progress.percent} % for ${stalledFor / 1000} s; check the image server and the network, then create it again`;
    throw new TremplinError("timed-out", sentence, new StalledDownload());
  });
}

/** Deletes the temporary container, unless a user has started it. */
export async function discardTemporary(
  deps: OperationDeps,
  temporary: string,
  { signal, log }: Pick<Context, "signal" | "log">,
): Promise<void> {
  const engine = deps.engine();
  await cancelPendingOperations(engine, temporary, signal);
  if (!(await deleteUnused(engine, temporary, signal, { own: true }))) {
    log.warn({ temporary }, "a user started the temporary container: leaving it");
  }
}

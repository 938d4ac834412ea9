import { TremplinError } from "../../../base/tremplin-error.ts";
import {
  type CreateContainerRequest,
  CreateContainerRequestSchema,
  ContainerCreationProgress_Status as Status,
} from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import type { EngineOperation } from "../../../engine/operations/engine-operation.ts";
import { downloadProgress } from "../../../engine/operations/progress.ts";
import { deleteUnused, waitForOwnOperations } from "../../containers/delete-container.ts";
import { findContainer, getContainer, identity } from "../../containers/find-container.ts";
import { isUnprovisioned, markCreated } from "../../containers/provisioned-mark.ts";
import { temporaryName } from "../../containers/temporary-name.ts";
import type { NoticeInit } from "../../notices/notice.ts";
import { withHeartbeat } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import { removeUpload, serverImage, tarballImage } from "./image-source.ts";

type Progress = NoticeInit<"updateCreateStatus">;

/** While nothing new is to be told the last progress is repeated, so that hosts extend their time-out. */
const HEARTBEAT = 30_000;
/** The step that says which container is the new one, before it gets its name. */
const FRESH = "fresh";
/** A download that has not moved for so long will not. Milliseconds. */
const STALLED = 5 * 60_000;

/**
 * Creates a container under a temporary name, marks it as made by us, and renames it when it is whole
 * (behaviour.md 5.2). What was created but never started successfully is deleted first.
 */
export function createOperation(
  tools: OperationDeps,
): OperationKind<typeof CreateContainerRequestSchema, "updateCreateStatus"> {
  async function* run(
    request: CreateContainerRequest,
    context: OperationContext,
  ): AsyncGenerator<Progress, Progress, void> {
    const engine = tools.engine();
    const { id, signal } = context;
    const { containerName } = request;
    const temporary = temporaryName("create", id);
    await makeRoom(engine, containerName, context);
    await using image = request.rootfsPath
      ? await tarballImage(engine, request, tools.places.shared, context)
      : serverImage(request, tools.milestone);
    const creation = await engine.instances.create({ name: temporary, source: image.source }, { signal });
    yield* follow(creation, containerName, signal);
    await markCreated(engine, temporary, signal);
    await context.step(FRESH, identity(await getContainer(engine, temporary, signal)));
    await (await engine.instances.rename(temporary, containerName, { signal })).wait({ signal });
    return { containerName, status: Status.CREATED };
  }

  /** What has the name may go only if it is as we made it. Looked at here, where nobody else has the container. */
  async function makeRoom(engine: Engine, name: string, { signal, log }: OperationContext): Promise<void> {
    const found = await findContainer(engine, name, signal);
    if (!found) return;
    if (!(await isUnprovisioned(engine, found, signal))) {
      throw new TremplinError("exists", `there is a container ${name} already; start it, or delete it first`);
    }
    log.warn("the container was created but never started: it is replaced");
    if (await deleteUnused(engine, name, signal)) return;
    throw new TremplinError("exists", `somebody has just started ${name}, so it is not replaced`);
  }

  /** Tells the percentage whenever it changes, repeats it while it does not, gives up when it never will. */
  async function* follow(
    creation: EngineOperation,
    containerName: string,
    signal: AbortSignal,
  ): AsyncGenerator<Progress, void, void> {
    let percent = 0;
    const told = (): Progress => ({ containerName, status: Status.DOWNLOADING, downloadProgress: percent });
    async function* download(): AsyncGenerator<Progress, void, void> {
      for await (const update of creation.updates(signal)) {
        const now = downloadProgress(update);
        // The engine sends its events side by side, so an older one may come later.
        if (now === undefined || now < percent) continue;
        percent = now;
        yield told();
      }
      await creation.wait({ signal });
    }
    yield* withHeartbeat(download(), { every: HEARTBEAT, clock: tools.clock }, (silence) => {
      if (silence < STALLED || percent === 100) return told();
      throw new TremplinError(
        "timed-out",
        `the download stands still at ${percent} % since ${silence / 1000} s`,
      );
    });
  }

  /** Removes what was made under the temporary name, unless somebody has started to use it. */
  async function discard(temporary: string, { signal, log }: OperationContext): Promise<void> {
    const engine = tools.engine();
    await waitForOwnOperations(engine, temporary, signal);
    if (!(await deleteUnused(engine, temporary, signal, { own: true }))) {
      log.warn({ temporary }, "somebody started the unfinished container: it is left");
    }
  }

  return {
    name: "create",
    request: CreateContainerRequestSchema,
    notify: "updateCreateStatus",
    run,
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
      const { id, signal, steps } = context;
      const engine = tools.engine();
      await discard(temporaryName("create", id), context);
      await removeUpload(engine, id, signal);
      const found = await findContainer(engine, containerName, signal);
      const isFresh = found !== undefined && steps[FRESH] === identity(found);
      return isFresh ? { containerName, status: Status.CREATED } : undefined;
    },
    interrupted: ({ containerName }, cause) => `${cause} while it created ${containerName}; create it again`,
  };
}

import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type CreateContainerRequest,
  CreateContainerRequestSchema,
  ContainerCreationProgress_Status as Status,
} from "../../contract/tremplin_pb.js";
import type { EngineOperation } from "../../engine/engine-operation.ts";
import { downloadProgress } from "../../engine/progress.ts";
import type { NoticeInit } from "../notices/notice.ts";
import { remove, settle } from "./engine-work.ts";
import { removeUpload, serverImage, tarballImage } from "./image-source.ts";
import { findContainer } from "./lookup.ts";
import type { OperationContext, OperationKind } from "./operation.ts";
import { isSetUp, markCreated } from "./setup-mark.ts";
import { breakSilence } from "./silence.ts";
import { temporaryName } from "./temporary-name.ts";
import type { Tools } from "./tools.ts";

type Progress = NoticeInit<"updateCreateStatus">;

/** While nothing new is to be told the last progress is repeated, so that hosts extend their time-out. */
const HEARTBEAT = 30_000;
/** A download that has not moved for so long will not. Milliseconds. */
const STALLED = 5 * 60_000;

/**
 * Creates a container under a temporary name, marks it as made by us, and renames it when it is whole
 * (behaviour.md 5.2). What was created but never started successfully is deleted first.
 */
export function createOperation(
  tools: Tools,
): OperationKind<typeof CreateContainerRequestSchema, "updateCreateStatus"> {
  async function* run(
    request: CreateContainerRequest,
    context: OperationContext,
  ): AsyncGenerator<Progress, Progress, void> {
    const engine = tools.engine();
    const { id, signal, log } = context;
    const { containerName } = request;
    const temporary = temporaryName("create", id);
    if (await findContainer(engine, containerName, signal)) {
      log.warn("the container was created but never started successfully: it is made anew");
      await remove(engine, containerName, signal);
    }
    await using image = request.rootfsPath
      ? await tarballImage(engine, request, tools.places.shared, context)
      : serverImage(request, tools.milestone);
    try {
      const creation = await engine.instances.create({ name: temporary, source: image.source }, { signal });
      yield* follow(creation, containerName, signal);
      await markCreated(engine, temporary, signal);
      await (await engine.instances.rename(temporary, containerName, { signal })).wait({ signal });
    } catch (error) {
      // When the daemon ends there is no time to clean up, and the next one does it.
      if (!signal.aborted) await discard(temporary);
      throw error;
    }
    return { containerName, status: Status.CREATED };
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
    yield* breakSilence(download(), { every: HEARTBEAT, clock: tools.clock }, (silence) => {
      if (silence < STALLED || percent === 100) return told();
      throw new TremplinError(
        "timed-out",
        `the download stands still at ${percent} % since ${silence / 1000} s`,
      );
    });
  }

  async function discard(temporary: string, signal?: AbortSignal): Promise<void> {
    await settle(tools.engine(), temporary, signal);
    await remove(tools.engine(), temporary, signal);
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
    async recover({ containerName }, { id, signal }) {
      const engine = tools.engine();
      await discard(temporaryName("create", id), signal);
      await removeUpload(engine, id, signal);
      const found = await findContainer(engine, containerName, signal);
      if (found && !(await isSetUp(engine, containerName, signal))) {
        return { containerName, status: Status.CREATED };
      }
      throw new TremplinError("failed", `the daemon died while it created ${containerName}; create it again`);
    },
  };
}

import { ContainerImportProgress_Status as Status } from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import type { EngineOperation } from "../../../engine/operations/engine-operation.ts";
import { type UnpackProgress, unpackProgress } from "../../../engine/operations/progress.ts";
import { temporaryName } from "../../containers/temporary-name.ts";
import type { NoticeInit } from "../../notices/notice.ts";
import { pollProgress } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext } from "../runner/operation.ts";
import { type UploadedImageSource, uploadsOf } from "../uploaded-images.ts";

/** Lets the engine make the temporary container from an uploaded image. */
export async function* unpackImage(
  deps: OperationDeps,
  containerName: string,
  image: UploadedImageSource,
  { id, signal, shutdownSignal }: OperationContext,
): AsyncGenerator<NoticeInit<"updateImportStatus">, void, void> {
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
  const current = () => ({
    containerName,
    status: Status.IMPORTING_UNPACK,
    progressPercent: unpacked.percent,
    progressSpeed: BigInt(unpacked.speed),
  });
  yield* pollProgress(create(), current, deps.clock);
}

/** Stops the engine where it still unpacks the image of an interrupted import. */
export async function stopUnpacking(engine: Engine, { id, signal }: OperationContext): Promise<void> {
  const instance = temporaryName("import", id);
  for (const creation of await engine.operations.changing(instance, { signal })) {
    const [image] = await uploadsOf(engine, id, signal);
    const fingerprint = image?.fingerprint ?? instance;
    await engine.unpackers.stop(creation, { fingerprint, instance }, { signal });
  }
}

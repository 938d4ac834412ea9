import { temporaryName } from "../../../base/temporary-name.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { EngineOperation } from "../../../engine/operations/engine-operation.ts";
import { type UnpackProgress, unpackProgress } from "../../../engine/operations/progress.ts";
import type { OperationContext } from "../runner/operation.ts";
import { type UploadedImageSource, uploadsOf } from "../uploaded-images.ts";

/** Lets the engine make the temporary container from an uploaded image. */
export async function unpackImage(
  engine: Engine,
  image: UploadedImageSource,
  { id, signal, shutdownSignal }: OperationContext,
  onProgress: (progress: UnpackProgress) => void,
): Promise<void> {
  const instance = temporaryName("import", id);
  const creation = await engine.instances.create({ name: instance, source: image.source }, { signal });
  try {
    await follow(creation, signal, onProgress);
  } catch (error) {
    // Not while another import of the same file needs the unpacked image.
    if (signal.aborted && !shutdownSignal.aborted && !image.isShared) {
      await engine.unpackers.stop(creation, { fingerprint: image.fingerprint, instance });
    }
    throw error;
  }
}

async function follow(
  creation: EngineOperation,
  signal: AbortSignal,
  onProgress: (progress: UnpackProgress) => void,
): Promise<void> {
  for await (const update of creation.updates(signal)) {
    const progress = unpackProgress(update);
    if (progress) onProgress(progress);
  }
  await creation.wait({ signal });
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

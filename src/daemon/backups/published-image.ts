import { pipeline } from "node:stream/promises";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { fingerprintOf } from "../../engine/resources/images.ts";
import type { ArchiveOptions, SnapshotArchive } from "./snapshot-archive.ts";

interface Source {
  readonly instance: string;
  /** The name of the snapshot, and the alias of the image, by which the next daemon finds it. */
  readonly snapshot: string;
}

export interface PublishOptions extends Omit<ArchiveOptions, "clock"> {
  /** The engine cannot be interrupted: a cancelled export waits for it until this signal aborts. */
  readonly shutdownSignal: AbortSignal;
}

/**
 * For a snapshot whose files are not on this machine: the engine publishes it as an image, which is then downloaded.
 * Disposing deletes the image and logs a failure.
 */
export async function publishSnapshot(
  engine: Engine,
  { instance, snapshot }: Source,
  { meter, signal, shutdownSignal: ending, log }: PublishOptions,
): Promise<SnapshotArchive> {
  log.info("the files of the snapshot are not on this machine; the engine publishes an image");
  const { value } = await engine.instances.metadata(instance, { signal });
  const request = { instance, snapshot, alias: snapshot, properties: value.properties ?? {} };
  const operation = await engine.images.publish(request, { signal });
  try {
    const fingerprint = fingerprintOf(await operation.wait({ signal }));
    const { size } = await engine.images.get(fingerprint, { signal });
    // Only the engine knows the number of files in it; the image counts as one.
    meter.expect({ files: 1, bytes: size });
    return {
      remark: () => "",
      async stream(into, signal) {
        await pipeline(await engine.images.download(fingerprint, { signal }), into.stdin, { signal });
        meter.countFiles(1);
      },
      [Symbol.asyncDispose]: () =>
        deletePublished(engine, snapshot).catch((error) =>
          log.error({ error, image: snapshot }, "cannot delete the image that an export published"),
        ),
    };
  } catch (error) {
    await operation.wait({ signal: ending }).catch(() => undefined);
    if (!ending.aborted) await deletePublished(engine, snapshot);
    throw error;
  }
}

/** Deletes the image with that alias, if it exists. */
export async function deletePublished(engine: Engine, alias: string, signal?: AbortSignal): Promise<void> {
  const fingerprint = await engine.images.resolve(alias, { signal }).catch(ifMissing);
  if (fingerprint) await engine.images.delete(fingerprint, { signal }).catch(ifMissing);
}

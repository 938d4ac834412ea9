import { pipeline } from "node:stream/promises";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { fingerprintOf } from "../../engine/resources/images.ts";
import type { ArchiveOptions, SnapshotArchive } from "./snapshot-archive.ts";

interface Source {
  readonly instance: string;
  /** What the snapshot is called, and the image that is made of it, by which the next daemon finds it too. */
  readonly snapshot: string;
}

export interface PublishOptions extends Omit<ArchiveOptions, "clock"> {
  /** The engine cannot be stopped in the middle: a cancelled export waits for it, but not beyond this. */
  readonly shutdownSignal: AbortSignal;
}

/**
 * The way to the files of a snapshot that are not on this machine: the engine packs them itself, into an image of
 * its own, which is then fetched. Disposing deletes that; where it fails it is logged.
 */
export async function publishSnapshot(
  engine: Engine,
  { instance, snapshot }: Source,
  { meter, signal, shutdownSignal: ending, log }: PublishOptions,
): Promise<SnapshotArchive> {
  log.info("the files of the snapshot cannot be reached from here: the engine makes an image of them");
  const { value } = await engine.instances.metadata(instance, { signal });
  const request = { instance, snapshot, alias: snapshot, properties: value.properties ?? {} };
  const operation = await engine.images.publish(request, { signal });
  try {
    const fingerprint = fingerprintOf(await operation.wait({ signal }));
    const { size } = await engine.images.get(fingerprint, { signal });
    // What is in it only the engine knows; it counts as the one file that it is.
    meter.expect({ files: 1, bytes: size });
    return {
      async stream(into, signal) {
        await pipeline(await engine.images.download(fingerprint, { signal }), into.stdin, { signal });
        meter.countFiles(1);
      },
      [Symbol.asyncDispose]: () =>
        deletePublished(engine, snapshot).catch((error) =>
          log.error({ error, image: snapshot }, "the image made for an export could not be deleted"),
        ),
    };
  } catch (error) {
    await operation.wait({ signal: ending }).catch(() => undefined);
    if (!ending.aborted) await deletePublished(engine, snapshot);
    throw error;
  }
}

/** Deletes the image of that alias, if there is one. */
export async function deletePublished(engine: Engine, alias: string, signal?: AbortSignal): Promise<void> {
  const fingerprint = await engine.images.resolve(alias, { signal }).catch(ifMissing);
  if (fingerprint) await engine.images.delete(fingerprint, { signal }).catch(ifMissing);
}

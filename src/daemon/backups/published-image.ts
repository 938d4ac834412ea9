import { pipeline } from "node:stream/promises";
import type { Logger } from "../../base/logger.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import { fingerprintOf } from "../../engine/images.ts";
import type { ExportMeter } from "./export-meter.ts";
import type { Subprocess } from "./subprocess.ts";

interface Source {
  readonly instance: string;
  readonly snapshot: string;
  /** The image is found by it, also by the next daemon. */
  readonly alias: string;
}

interface PublishOptions {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** The engine cannot be stopped in the middle: a cancelled export waits for it, but not beyond this. */
  readonly ending: AbortSignal;
}

/** An image that the engine made of a snapshot. Disposing deletes it; where that fails it is logged. */
export interface PublishedImage extends AsyncDisposable {
  /** Writes its one file to the input of a program, and ends that input. */
  stream(into: Subprocess, signal: AbortSignal): Promise<void>;
}

/**
 * The way to the files of a snapshot that are not on this machine: the engine packs them itself, into an image of
 * its own, which is then fetched.
 */
export async function publishSnapshot(
  engine: Engine,
  { instance, snapshot, alias }: Source,
  meter: ExportMeter,
  { signal, ending, log }: PublishOptions,
): Promise<PublishedImage> {
  const { value } = await engine.instances.metadata(instance, { signal });
  const request = { instance, snapshot, alias, properties: value.properties ?? {} };
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
        deletePublished(engine, alias).catch((error) =>
          log.error({ error, image: alias }, "the image made for an export could not be deleted"),
        ),
    };
  } catch (error) {
    await operation.wait({ signal: ending }).catch(() => undefined);
    if (!ending.aborted) await deletePublished(engine, alias);
    throw error;
  }
}

/** Deletes the image of that alias, if there is one. */
export async function deletePublished(engine: Engine, alias: string, signal?: AbortSignal): Promise<void> {
  const fingerprint = await engine.images.resolve(alias, { signal }).catch(ifMissing);
  if (fingerprint) await engine.images.delete(fingerprint, { signal }).catch(ifMissing);
}

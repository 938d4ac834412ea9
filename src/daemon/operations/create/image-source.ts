import { Readable } from "node:stream";
import { KeyedMutex } from "../../../base/async/keyed-mutex.ts";
import { bytesOfFile } from "../../../base/files/bytes-of-file.ts";
import { errorMessage, TremplinError } from "../../../base/tremplin-error.ts";
import type { CreateContainerRequest } from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import type { Image, UploadedImage, UploadOptions } from "../../../engine/resources/images.ts";
import type { InstanceSource } from "../../../engine/resources/instance.ts";
import type { OperationContext } from "../runner/operation.ts";
import { openSharedFile } from "../shared-file.ts";

/** An image to create from, released when nobody creates from it any more. */
export interface ImageSource extends AsyncDisposable {
  readonly source: InstanceSource;
}

/** An image that was uploaded. */
export interface UploadedSource extends ImageSource {
  readonly fingerprint: string;
  /** Whether another operation creates from the same image now. */
  readonly isShared: boolean;
}

/** The property of an uploaded image that tells for which operation it came. */
export const UPLOAD_MARK = "tremplin-operation";

/** The uploaded images that operations create from now: only the last one deletes it, if one of us brought it. */
const inUse = new Map<string, { users: number; ours: boolean }>();
/** While one takes an image or lets go of it, nobody else does. */
const store = new KeyedMutex();
const STORE = "images";
/** How often an image is brought that the engine calls one that it has, without saying which. */
const TRIES = 5;

/** The image of an image server, which the engine fetches by itself. `%d` becomes the milestone. */
export function serverImage(request: CreateContainerRequest, milestone: string | undefined): ImageSource {
  const { imageServer, imageAlias } = request;
  if (imageServer.includes("%d") && !milestone) {
    throw new TremplinError(
      "invalid",
      `the image server ${imageServer} needs a milestone, which this site has not`,
    );
  }
  const server = imageServer.replace("%d", milestone ?? "");
  const source = {
    type: "image",
    mode: "pull",
    protocol: "simplestreams",
    server,
    alias: imageAlias,
  } as const;
  return { source, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** Uploads rootfs and metadata tarballs. */
export async function tarballImage(
  engine: Engine,
  request: CreateContainerRequest,
  shared: string,
  context: OperationContext,
): Promise<UploadedSource> {
  await using metadata = await openSharedFile(shared, request.metadataPath);
  await using rootfs = await openSharedFile(shared, request.rootfsPath);
  return await uploadedImage(engine, context, (options) =>
    engine.images.uploadSplit(
      Readable.from(bytesOfFile(metadata)),
      Readable.from(bytesOfFile(rootfs)),
      options,
    ),
  );
}

/**
 * Uploads an image for an operation. One that the engine had already is used and kept; one that came by an upload
 * of ours is deleted in the end; where it cannot be, the operation owes that.
 */
export async function uploadedImage(
  engine: Engine,
  { id, signal, shutdownSignal, log, owe }: OperationContext,
  upload: (options: UploadOptions) => Promise<UploadedImage>,
): Promise<UploadedSource> {
  for (let tries = 1; ; tries++) {
    const uploaded = await upload({ signal, properties: { [UPLOAD_MARK]: id } }).catch((error) => {
      if (TremplinError.from(error).code !== "exists" || tries === TRIES) throw error;
      return undefined;
    });
    // Another operation has just brought it: it is asked for once more.
    if (!uploaded) continue;
    const { fingerprint } = uploaded;
    const taken = await store.run(STORE, () => take(engine, uploaded, signal), signal);
    // The operation that had it let go of it just now.
    if (!taken) continue;
    return {
      source: { type: "image", fingerprint },
      fingerprint,
      get isShared() {
        return (inUse.get(fingerprint)?.users ?? 0) > 1;
      },
      async [Symbol.asyncDispose]() {
        // The next daemon deletes it: nothing waits for an engine while this one ends.
        if (shutdownSignal.aborted) return;
        await store
          .run(STORE, () => letGo(engine, fingerprint, shutdownSignal), shutdownSignal)
          .catch((error) => {
            log.error({ error, fingerprint }, "an image of the engine could not be deleted yet");
            owe(`the image ${fingerprint.slice(0, 12)} is still there: ${errorMessage(error)}`);
          });
      },
    };
  }
}

/** False when the engine no longer has the image that it said it had. */
async function take(engine: Engine, { fingerprint, existed }: UploadedImage, signal: AbortSignal) {
  if (!(await engine.images.get(fingerprint, { signal }).catch(ifMissing))) return false;
  const { users, ours } = inUse.get(fingerprint) ?? { users: 0, ours: false };
  inUse.set(fingerprint, { users: users + 1, ours: ours || !existed });
  return true;
}

async function letGo(engine: Engine, fingerprint: string, signal: AbortSignal): Promise<void> {
  const { users, ours } = inUse.get(fingerprint) ?? { users: 1, ours: false };
  if (users > 1) {
    inUse.set(fingerprint, { users: users - 1, ours });
    return;
  }
  inUse.delete(fingerprint);
  if (ours) await deleteUnnamed(engine, fingerprint, signal);
}

/** An image that somebody has given a name meanwhile is somebody's. */
async function deleteUnnamed(engine: Engine, fingerprint: string, signal?: AbortSignal): Promise<void> {
  const image = await engine.images.get(fingerprint, { signal }).catch(ifMissing);
  if (image && !image.aliases?.length) await engine.images.delete(fingerprint, { signal }).catch(ifMissing);
}

/** Deletes what an operation uploaded before it or the daemon died, unless another one creates from it now. */
export async function removeUpload(engine: Engine, operationId: string, signal?: AbortSignal): Promise<void> {
  await engine.images.waitForUploads({ signal });
  const removeAll = async (): Promise<void> => {
    for (const { fingerprint } of await uploadsOf(engine, operationId, signal)) {
      const use = inUse.get(fingerprint);
      if (use) inUse.set(fingerprint, { ...use, ours: true });
      else await deleteUnnamed(engine, fingerprint, signal);
    }
  };
  await store.run(STORE, removeAll, signal);
}

/** The images that an operation uploaded and that are still there. */
export async function uploadsOf(engine: Engine, operationId: string, signal?: AbortSignal): Promise<Image[]> {
  const images = await engine.images.list({ signal });
  return images.filter(({ properties }) => properties[UPLOAD_MARK] === operationId);
}

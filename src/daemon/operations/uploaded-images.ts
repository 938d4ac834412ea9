import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { Image, UploadedImage, UploadOptions } from "../../engine/resources/images.ts";
import type { InstanceSource } from "../../engine/resources/instance.ts";
import type { OperationContext } from "./runner/operation.ts";

/** An image to create a container from; disposing it says that the operation needs it no more. */
export interface ImageSource extends AsyncDisposable {
  readonly source: InstanceSource;
}

export interface UploadedImageSource extends ImageSource {
  readonly fingerprint: string;
  /** Whether another operation creates a container from the same image now. */
  readonly isShared: boolean;
}

/** The property of an uploaded image with the id of the operation that uploaded it. */
export const UPLOAD_MARK = "tremplin-operation";

/** One mutex for all images. */
const ALL = "images";
/** How often an upload is repeated that the engine refuses because it has the image, without saying which it is. */
const MAX_TRIES = 5;

/** The uploaded images that operations create containers from. The last operation deletes an image that one of them uploaded. */
export class UploadedImages {
  readonly #inUse = new Map<string, { users: number; isOurs: boolean }>();
  /** Only one operation at a time begins or ends to use an image. */
  readonly #mutex = new KeyedMutex();

  /**
   * Uploads an image for an operation. An image that the engine had before is used and kept. One that an operation
   * uploaded is deleted after use; where it cannot be deleted, the operation owes that.
   */
  async add(
    engine: Engine,
    { id, signal, shutdownSignal, log, owe }: OperationContext,
    upload: (options: UploadOptions) => Promise<UploadedImage>,
  ): Promise<UploadedImageSource> {
    for (let tries = 1; ; tries++) {
      const uploaded = await upload({ signal, properties: { [UPLOAD_MARK]: id } }).catch((error) => {
        if (TremplinError.from(error).code !== "exists" || tries === MAX_TRIES) throw error;
        return undefined;
      });
      // Another operation uploads the same image at this moment.
      if (!uploaded) continue;
      const { fingerprint } = uploaded;
      const isTaken = await this.#mutex.run(ALL, () => this.#take(engine, uploaded, signal), signal);
      // The operation that used the image has just deleted it.
      if (!isTaken) continue;
      const isShared = (): boolean => (this.#inUse.get(fingerprint)?.users ?? 0) > 1;
      const release = (): Promise<void> => this.#release(engine, fingerprint, shutdownSignal);
      return {
        source: { type: "image", fingerprint },
        fingerprint,
        get isShared() {
          return isShared();
        },
        async [Symbol.asyncDispose]() {
          // The next daemon deletes it: a shutdown waits for no engine.
          if (shutdownSignal.aborted) return;
          await release().catch((error) => {
            log.error({ error, fingerprint }, "an image of the engine could not be deleted yet");
            owe(`the image ${fingerprint.slice(0, 12)} is still there: ${errorMessage(error)}`);
          });
        },
      };
    }
  }

  /** Deletes the images that an operation uploaded, unless another one creates a container from them now. */
  async removeUploads(engine: Engine, operationId: string, signal?: AbortSignal): Promise<void> {
    await engine.images.waitForUploads({ signal });
    const removeAll = async (): Promise<void> => {
      for (const { fingerprint } of await uploadsOf(engine, operationId, signal)) {
        const use = this.#inUse.get(fingerprint);
        if (use) this.#inUse.set(fingerprint, { ...use, isOurs: true });
        else await deleteUnlessNamed(engine, fingerprint, signal);
      }
    };
    await this.#mutex.run(ALL, removeAll, signal);
  }

  /** False when the engine no longer has the image that it said it had. */
  async #take(
    engine: Engine,
    { fingerprint, existed }: UploadedImage,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (!(await engine.images.get(fingerprint, { signal }).catch(ifMissing))) return false;
    const { users, isOurs } = this.#inUse.get(fingerprint) ?? { users: 0, isOurs: false };
    this.#inUse.set(fingerprint, { users: users + 1, isOurs: isOurs || !existed });
    return true;
  }

  #release(engine: Engine, fingerprint: string, signal: AbortSignal): Promise<void> {
    const release = async (): Promise<void> => {
      const { users, isOurs } = this.#inUse.get(fingerprint) ?? { users: 1, isOurs: false };
      if (users > 1) {
        this.#inUse.set(fingerprint, { users: users - 1, isOurs });
        return;
      }
      this.#inUse.delete(fingerprint);
      if (isOurs) await deleteUnlessNamed(engine, fingerprint, signal);
    };
    return this.#mutex.run(ALL, release, signal);
  }
}

/** The images that an operation uploaded and that are still there. */
export async function uploadsOf(engine: Engine, operationId: string, signal?: AbortSignal): Promise<Image[]> {
  const images = await engine.images.list({ signal });
  return images.filter(({ properties }) => properties[UPLOAD_MARK] === operationId);
}

/** An image to which a user gave an alias belongs to them. */
async function deleteUnlessNamed(engine: Engine, fingerprint: string, signal?: AbortSignal): Promise<void> {
  const image = await engine.images.get(fingerprint, { signal }).catch(ifMissing);
  if (image && !image.aliases?.length) await engine.images.delete(fingerprint, { signal }).catch(ifMissing);
}

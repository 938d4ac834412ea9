import { TremplinError } from "../../base/tremplin-error.ts";
import type { CreateContainerRequest } from "../../contract/tremplin_pb.js";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import type { InstanceSource } from "../../engine/instance.ts";
import { Serial } from "../../engine/serial.ts";
import type { OperationContext } from "./operation.ts";
import { openSharedFile } from "./shared-file.ts";

/** An image to create from, released when nobody creates from it any more. */
export interface ImageSource extends AsyncDisposable {
  readonly source: InstanceSource;
}

/** The property of an uploaded image that tells for which operation it came. */
const MARK = "tremplin-operation";

/** How many operations create from each uploaded image now: only the last one deletes it. */
const users = new Map<string, number>();
/** Between the engine's word that it has an image and our use of it nobody may delete it. */
const store = new Serial();
const STORE = "images";

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

/**
 * Uploads rootfs and metadata tarballs. An image that the engine had already is used and kept; one that came
 * by this upload is deleted in the end (behaviour.md 12 item 19).
 */
export async function tarballImage(
  engine: Engine,
  request: CreateContainerRequest,
  shared: string,
  { id, signal }: OperationContext,
): Promise<ImageSource> {
  await using metadata = await openSharedFile(shared, request.metadataPath);
  await using rootfs = await openSharedFile(shared, request.rootfsPath);
  const upload = async (): Promise<{ fingerprint: string; ours: boolean }> => {
    const { fingerprint, existed } = await engine.images.uploadSplit(
      metadata.createReadStream({ autoClose: false }),
      rootfs.createReadStream({ autoClose: false }),
      { signal, properties: { [MARK]: id } },
    );
    const before = users.get(fingerprint) ?? 0;
    users.set(fingerprint, before + 1);
    return { fingerprint, ours: !existed || before > 0 };
  };
  const { fingerprint, ours } = await store.run(STORE, upload, signal);
  const release = async (): Promise<void> => {
    const left = (users.get(fingerprint) ?? 1) - 1;
    if (left > 0) {
      users.set(fingerprint, left);
      return;
    }
    users.delete(fingerprint);
    if (ours) await engine.images.delete(fingerprint);
  };
  return {
    source: { type: "image", fingerprint },
    [Symbol.asyncDispose]: () => store.run(STORE, release),
  };
}

/** Deletes what an operation uploaded before the daemon died. */
export async function removeUpload(engine: Engine, operationId: string, signal: AbortSignal): Promise<void> {
  await engine.images.settleUploads({ signal });
  const images = await engine.images.list({ signal });
  const left = images.filter(({ properties }) => properties[MARK] === operationId);
  for (const { fingerprint } of left) await engine.images.delete(fingerprint, { signal }).catch(ifMissing);
}

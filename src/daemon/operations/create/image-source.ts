import { Readable } from "node:stream";
import { bytesOfFile } from "../../../base/files/files.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { CreateContainerRequest } from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import type { OperationContext } from "../runner/operation.ts";
import { openSharedFile } from "../shared-file.ts";
import type { ImageSource, UploadedImageSource, UploadedImages } from "../uploaded-images.ts";

/** The image of an image server, which the engine downloads by itself. `%d` becomes the milestone. */
export function serverImage(request: CreateContainerRequest, milestone: string | undefined): ImageSource {
  const { imageServer, imageAlias } = request;
  if (imageServer.includes("%d") && !milestone) {
    throw new TremplinError(
      "invalid",
      `the image server ${imageServer} needs a milestone, which this site does not have`,
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

/** Uploads the rootfs and metadata tarballs that the request names. */
export async function tarballImage(
  engine: Engine,
  request: CreateContainerRequest,
  { places, uploads }: { readonly places: { readonly shared: string }; readonly uploads: UploadedImages },
  context: OperationContext,
): Promise<UploadedImageSource> {
  await using metadata = await openSharedFile(places.shared, request.metadataPath);
  await using rootfs = await openSharedFile(places.shared, request.rootfsPath);
  return await uploads.add(engine, context, (options) =>
    engine.images.uploadSplit(
      Readable.from(bytesOfFile(metadata)),
      Readable.from(bytesOfFile(rootfs)),
      options,
    ),
  );
}

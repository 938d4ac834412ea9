import { join } from "node:path";
import type { HandlerContext } from "@connectrpc/connect";
import type { PrepareImageRequest } from "../../contract/tremplin/v1/guest_pb.js";
import { debianImage } from "../images/debian-image.ts";
import type { RpcDeps } from "./rpc.ts";

/** Builds the image of a Debian release in the shared folder, from which CreateContainer can read it. */
export function prepareImage(deps: RpcDeps) {
  return async function* ({ debianRelease: release }: PrepareImageRequest, { signal }: HandlerContext) {
    const folder = join(deps.places.shared, "images");
    const built = yield* debianImage({ release, folder, signal, log: deps.log });
    yield { message: "done", percent: 100, ...built };
  };
}

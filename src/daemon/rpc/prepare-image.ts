import { join } from "node:path";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { errorMessage } from "../../base/tremplin-error.ts";
import type { PrepareImageRequest } from "../../contract/tremplin/v1/guest_pb.js";
import { debianImage } from "../images/debian-image.ts";
import type { RpcDeps } from "./rpc.ts";

/** Builds the image of a Debian release in the shared folder, where CreateContainer may read it. */
export function prepareImage(tools: RpcDeps) {
  return async function* ({ debianRelease: release }: PrepareImageRequest, { signal }: HandlerContext) {
    const folder = join(tools.places.shared, "images");
    const build = debianImage({ release, folder, signal, log: tools.log });
    try {
      for (;;) {
        const { done, value } = await build.next();
        if (done) {
          yield { message: "done", percent: 100, ...value };
          return;
        }
        yield value;
      }
    } catch (error) {
      throw new ConnectError(errorMessage(error), Code.Internal, undefined, undefined, error);
    }
  };
}

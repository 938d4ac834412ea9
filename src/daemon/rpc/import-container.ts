import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import {
  type ImportContainerRequest,
  ImportContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { openSharedFile, resolveShared } from "../operations/shared-file.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** docs/contract.md#importcontainer. The path must lie in the shared folder. */
export function importContainer(deps: RpcDeps) {
  return withStatusErrors(
    deps,
    async (request: ImportContainerRequest, context: HandlerContext) => {
      const { containerName: name, importPath } = request;
      deps.engine.running();
      checkContainerName(name);
      const { shared } = deps.places;
      await using _file = await openSharedFile(shared, resolveShared(shared, importPath));
      await begin(deps, context, deps.kinds.import, name, request);
      return { status: Status.IMPORTING, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}

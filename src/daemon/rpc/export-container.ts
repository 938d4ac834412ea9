import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import {
  type ExportContainerRequest,
  ExportContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { getContainer } from "../containers/find-container.ts";
import { checkSharedTarget } from "../operations/export/shared-target.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** docs/contract.md#exportcontainer. The path must lie in the shared folder. */
export function exportContainer(deps: RpcDeps) {
  return withStatusErrors(
    deps,
    async (request: ExportContainerRequest, context: HandlerContext) => {
      const { containerName: name, exportPath } = request;
      checkContainerName(name);
      await getContainer(deps.engine.running(), name, context.signal);
      await checkSharedTarget(deps.places.shared, exportPath);
      await begin(deps, context, deps.kinds.export, name, request);
      return { status: Status.EXPORTING, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}

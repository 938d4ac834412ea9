import type { HandlerContext } from "@connectrpc/connect";
import {
  type ExportContainerRequest,
  ExportContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { getContainer } from "../containers/find-container.ts";
import { exportOperation } from "../operations/export/export.ts";
import { checkSharedTarget } from "../operations/export/shared-target.ts";
import { checkContainerName } from "./container-name.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** behaviour.md 5.10; a refusal tells its reason (12 item 50), and paths stay in the shared folder (item 49). */
export function exportContainer(tools: RpcDeps) {
  const kind = tools.runner.add(exportOperation(tools.operations));
  return withStatusErrors(
    tools,
    async (request: ExportContainerRequest, context: HandlerContext) => {
      const { containerName: name, exportPath } = request;
      checkContainerName(name);
      await getContainer(tools.engine(), name, context.signal);
      await checkSharedTarget(tools.places.shared, exportPath);
      await begin(tools, context, kind, name, request);
      return { status: Status.EXPORTING, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}

import type { HandlerContext } from "@connectrpc/connect";
import {
  type ImportContainerRequest,
  ImportContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { importOperation } from "../operations/import/import.ts";
import { openSharedFile, resolveShared } from "../operations/shared-file.ts";
import { checkContainerName } from "./container-name.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** behaviour.md 5.13; a collision is refused with what is under way (12 item 50). */
export function importContainer(tools: RpcDeps) {
  const kind = tools.runner.add(importOperation(tools.operations));
  return withStatusErrors(
    tools,
    async (request: ImportContainerRequest, context: HandlerContext) => {
      const { containerName: name, importPath } = request;
      tools.engine();
      checkContainerName(name);
      const { shared } = tools.places;
      await using _file = await openSharedFile(shared, resolveShared(shared, importPath));
      await begin(tools, context, kind, name, request);
      return { status: Status.IMPORTING, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}

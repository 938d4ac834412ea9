import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type CreateContainerRequest,
  CreateContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { findOrRepairContainer } from "../containers/find-container.ts";
import { isUnprovisioned } from "../containers/provisioned-mark.ts";
import { openSharedFile } from "../operations/shared-file.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** docs/contract.md#createcontainer. */
export function createContainer(deps: RpcDeps) {
  return withStatusErrors(
    deps,
    async (request: CreateContainerRequest, context: HandlerContext) => {
      const { signal } = context;
      const engine = deps.engine.running();
      const { containerName: name } = request;
      checkContainerName(name);
      const existing = await findOrRepairContainer(engine, deps.runner, name, signal);
      // Only for the response: the operation checks again once it has the lock. An unreadable container counts as provisioned.
      if (existing && !(await isUnprovisioned(engine, existing, signal).catch(() => false))) {
        return { status: Status.EXISTS, failureReason: "" };
      }
      await checkSource(request, deps.places.shared);
      await begin(deps, context, deps.kinds.create, name, request);
      return { status: Status.CREATING, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}

async function checkSource(request: CreateContainerRequest, shared: string): Promise<void> {
  const { imageServer, imageAlias, rootfsPath, metadataPath } = request;
  if (rootfsPath && metadataPath) {
    await using _rootfs = await openSharedFile(shared, rootfsPath);
    await using _metadata = await openSharedFile(shared, metadataPath);
    return;
  }
  if (rootfsPath || metadataPath) {
    const missing = rootfsPath ? "metadata_path" : "rootfs_path";
    throw new TremplinError("invalid", `rootfs_path and metadata_path go together: ${missing} is missing`);
  }
  const url = URL.canParse(imageServer) ? new URL(imageServer) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TremplinError("invalid", `the image server "${imageServer}" is not an http or https URL`);
  }
  if (!imageAlias)
    throw new TremplinError("invalid", `which image of ${imageServer}? image_alias is missing`);
}

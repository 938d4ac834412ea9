import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import type {
  CreateShareRequest,
  ListSharesRequest,
  RemoveShareRequest,
} from "../../contract/tremplin/v1/guest_pb.js";
import type { Share } from "../shares/share.ts";
import type { RpcDeps } from "./rpc.ts";

/** Shows a folder of the machine in a container (docs/shares.md). */
export function createShare({ shares, runner }: Pick<RpcDeps, "shares" | "runner">) {
  return async (request: CreateShareRequest, { signal }: HandlerContext) => {
    const { containerName, source, path, readOnly, caller } = request;
    checkContainerName(containerName);
    using _lock = runner.hold("share", containerName);
    const [share, notes] = await shares.create(containerName, { source, path, readOnly, caller }, signal);
    return { share: messageOf(share), notes };
  };
}

/** Ends a share. */
export function removeShare({ shares, runner }: Pick<RpcDeps, "shares" | "runner">) {
  return async ({ containerName, place }: RemoveShareRequest, { signal }: HandlerContext) => {
    checkContainerName(containerName);
    using _lock = runner.hold("unshare", containerName);
    return { share: messageOf(await shares.remove(containerName, place, signal)) };
  };
}

/** The shares of a container, or of all. */
export function listShares({ shares }: Pick<RpcDeps, "shares">) {
  return async ({ containerName }: ListSharesRequest, { signal }: HandlerContext) => {
    if (containerName) checkContainerName(containerName);
    return { shares: (await shares.list(containerName, signal)).map(messageOf) };
  };
}

function messageOf({ container, source, path, readOnly, owner, problem }: Share) {
  return { containerName: container, source, path, readOnly, problem, ...(owner && { owner }) };
}

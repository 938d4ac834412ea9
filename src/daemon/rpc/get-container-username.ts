import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import {
  type GetContainerUsernameRequest,
  GetContainerUsernameResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { findContainer, noSuchContainer } from "../containers/find-container.ts";
import { displayText } from "../guest/lossless-text.ts";
import { findPrimaryUser } from "../guest/primary-user.ts";
import { type RpcDeps, withStatusErrors } from "./rpc.ts";

/** docs/contract.md#getcontainerusername. Works on stopped containers too. */
export function getContainerUsername(deps: RpcDeps) {
  return withStatusErrors(
    deps,
    async ({ containerName: name }: GetContainerUsernameRequest, { signal }: HandlerContext) => {
      const engine = deps.engine.running();
      checkContainerName(name);
      if (!(await findContainer(engine, name, signal))) {
        return response(Status.CONTAINER_NOT_FOUND, noSuchContainer(name));
      }
      using files = await engine.fileSession(name, { signal });
      const user = await findPrimaryUser(files);
      if (!user) return response(Status.USER_NOT_FOUND, `${name} has no primary user yet`);
      return {
        ...response(Status.SUCCESS, ""),
        username: displayText(user.name),
        homedir: displayText(user.home),
      };
    },
    (failureReason) => response(Status.FAILED, failureReason),
  );
}

function response(status: Status, failureReason: string) {
  return { status, failureReason, username: "", homedir: "" };
}

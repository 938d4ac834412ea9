import type { HandlerContext } from "@connectrpc/connect";
import {
  type GetContainerUsernameRequest,
  GetContainerUsernameResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { findContainer } from "../containers/find-container.ts";
import { displayText } from "../guest/lossless-text.ts";
import { findPrimaryUser } from "../guest/primary-user.ts";
import { checkContainerName } from "./container-name.ts";
import { type RpcDeps, withStatusErrors } from "./rpc.ts";

/** behaviour.md 5.6; works on stopped containers too. */
export function getContainerUsername(tools: RpcDeps) {
  return withStatusErrors(
    tools,
    async ({ containerName: name }: GetContainerUsernameRequest, { signal }: HandlerContext) => {
      const engine = tools.engine();
      checkContainerName(name);
      if (!(await findContainer(engine, name, signal))) {
        return answer(Status.CONTAINER_NOT_FOUND, `there is no container ${name}`);
      }
      using files = await engine.fileSession(name, { signal });
      const person = await findPrimaryUser(files, tools.clock.now());
      if (!person) return answer(Status.USER_NOT_FOUND, `nobody has been set up in ${name} yet`);
      return {
        ...answer(Status.SUCCESS, ""),
        username: displayText(person.name),
        homedir: displayText(person.home),
      };
    },
    (failureReason) => answer(Status.FAILED, failureReason),
  );
}

function answer(status: Status, failureReason: string) {
  return { status, failureReason, username: "", homedir: "" };
}

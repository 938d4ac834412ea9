import type { ConnectRouter } from "@connectrpc/connect";
import { Guest } from "../contract/tremplin/v1/guest_pb.js";
import { operationIdIn } from "../transport/operation-id.ts";
import type { ForwardRenames } from "./forwards/forward-renames.ts";
import type { Guests } from "./guests.ts";
import { unary } from "./proxy.ts";

/** Forwards RenameContainer in place of the other rpcs' forwarding: what the host keeps by the name is to follow. */
export function renameService(router: ConnectRouter, guests: Guests, renames: ForwardRenames): void {
  const method = Guest.method.renameContainer;
  // A caller that goes away would leave the operation without anybody who knows its id.
  const ask = unary(method, guests, true);
  router.rpc(method, async (request, context) => {
    const guest = guests.resolveTarget(context.requestHeader).name;
    await renames.request({ guest, from: request.containerName, to: request.newName }, async () => {
      await ask(request, context);
      return operationIdIn(context.responseHeader);
    });
    return {};
  });
}

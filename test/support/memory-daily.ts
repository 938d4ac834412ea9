import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { Guest } from "../../src/contract/tremplin/v1/guest_pb.js";
import type { MemoryGuest } from "./memory-guest.ts";

/** What people do with containers every day. */
export function dailyHandlers(guest: MemoryGuest): Partial<ServiceImpl<typeof Guest>> {
  return {
    restartContainer: ({ containerName }, context) => {
      stateOf(guest, containerName);
      guest.begin("restart", containerName, async () => {
        await guest.notify("updateStartStatus", { containerName, status: 4 });
        await guest.gate;
        const progress = guest.outcome({ status: 1 }, { status: 3 });
        await guest.notify("updateStartStatus", { containerName, ...progress });
      });
      guest.nameOperation(context);
      return {};
    },
  };
}

function stateOf(guest: MemoryGuest, name: string): string {
  const state = guest.containers.get(name);
  if (state === undefined) throw new ConnectError(`there is no container ${name}`, Code.NotFound);
  const busy = guest.operations.find((each) => each.containerName === name);
  if (busy) throw new ConnectError(`container ${name} is busy: operation "${busy.kind}"`, Code.Aborted);
  return state;
}

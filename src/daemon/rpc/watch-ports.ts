import type { WatchPortsRequest } from "../../contract/tremplin/v1/guest_pb.js";
import type { RpcDeps } from "./rpc.ts";

/** The ports of the running containers, now and whenever they change. */
export function watchPorts({ ports }: Pick<RpcDeps, "ports">) {
  return async function* (_request: WatchPortsRequest, { signal }: { signal: AbortSignal }) {
    for await (const lists of ports.watch(signal)) {
      yield {
        containers: [...lists].map(([containerName, list]) => ({ containerName, ports: [...list] })),
      };
    }
  };
}

import { isContainerName } from "../../base/container-name.ts";
import { isForwardable } from "../../base/forwardable-port.ts";
import type { WatchPortsResponse } from "../../contract/tremplin/v1/guest_pb.js";
import type { PortKey } from "./forward-settings.ts";

/** What a container that fills a guest with ports can make the host look at. */
const MAX_PORTS = 10_000;

/** The ports in what a guest says, without those that cannot be right. */
export function* reportedPorts(
  guest: string,
  { containers }: WatchPortsResponse,
): Generator<PortKey, void, void> {
  let count = 0;
  for (const { containerName: container, ports } of containers) {
    if (!isContainerName(container)) continue;
    for (const port of ports) {
      if (!isForwardable(port)) continue;
      if (++count > MAX_PORTS) return;
      yield { guest, container, port };
    }
  }
}

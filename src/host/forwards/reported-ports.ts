import type { WatchPortsResponse } from "../../contract/tremplin/v1/guest_pb.js";
import type { PortKey } from "./forward-settings.ts";

const CONTAINER_NAME = /^[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
/** What a container that fills a guest with ports can make the host look at. */
const MAX_PORTS = 10_000;

/** Whether a port of a container can be forwarded: one of a program that people start, not of the system. */
export function isForwardable(port: number): boolean {
  return Number.isInteger(port) && port >= 1024 && port <= 65535 && port !== 2222 && port !== 5355;
}

export function isContainerName(text: string): boolean {
  return CONTAINER_NAME.test(text);
}

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

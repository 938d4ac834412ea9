import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import {
  type GetContainerInfoRequest,
  GetContainerInfoResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { type InstanceState, instanceStatus } from "../../engine/resources/instance.ts";
import { noSuchContainer } from "../containers/find-container.ts";
import { type RpcDeps, withStatusErrors } from "./rpc.ts";

/** docs/contract.md#getcontainerinfo. A container that has no address yet is running, with address 0. */
export function getContainerInfo(deps: RpcDeps) {
  return withStatusErrors(
    deps,
    async ({ containerName: name }: GetContainerInfoRequest, { signal }: HandlerContext) => {
      checkContainerName(name);
      const state = await deps.engine.running().instances.state(name, { signal }).catch(ifMissing);
      if (!state) return response(Status.NOT_FOUND, noSuchContainer(name));
      if (state.status_code !== instanceStatus.running) {
        return response(Status.STOPPED, `the container ${name} is ${state.status.toLowerCase()}`);
      }
      return response(Status.RUNNING, "", encodeIpv4Address(addressOf(state)));
    },
    (failureReason) => response(Status.FAILED, failureReason),
  );
}

function response(status: Status, failureReason: string, ipv4Address = 0) {
  return { status, failureReason, ipv4Address };
}

/** The first IPv4 address of eth0 that others can reach; empty when there is none. */
export function addressOf(state: InstanceState): string {
  const addresses = state.network?.eth0?.addresses ?? [];
  return addresses.find(({ family, scope }) => family === "inet" && scope === "global")?.address ?? "";
}

/** The octets as they lie in the memory of a little-endian machine: a + b·2⁸ + c·2¹⁶ + d·2²⁴ for a.b.c.d. */
export function encodeIpv4Address(address: string): number {
  if (!address) return 0;
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24;
}

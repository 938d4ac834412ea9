import { TremplinError } from "../../base/tremplin-error.ts";
import { type ContainerInfo, type GuestContainers, Host } from "../../contract/tremplin/v1/host_pb.js";
import type { HostApi } from "./host-api.ts";

const TIMEOUT_MS = 60_000;

/** The guests with their containers: the chosen one, or all. Those that are away have them as last known. */
export async function listContainers(api: HostApi, signal?: AbortSignal): Promise<GuestContainers[]> {
  const settings = { signal, timeout: TIMEOUT_MS };
  return (await api.call(Host.method.listContainers, { guest: api.guest }, settings)).guests;
}

/**
 * A container of the chosen guest, or of the only one, as it is now. Throws `unavailable` or `failed` while its guest
 * cannot say, `invalid` where several guests could be meant, `not-found` where there is none.
 */
export async function findContainer(
  api: HostApi,
  name: string,
  signal?: AbortSignal,
): Promise<ContainerInfo> {
  const guests = await listContainers(api, signal);
  const [only] = guests;
  if (guests.length > 1) {
    const names = guests.map(({ guest }) => guest?.name).join(", ");
    throw new TremplinError("invalid", `there are several guests; choose one with --guest: ${names}`);
  }
  if (only && only.failureReason !== "") {
    throw new TremplinError(only.guest?.reachable ? "failed" : "unavailable", only.failureReason);
  }
  const found = only?.containers.find(({ container }) => container?.name === name);
  if (!found) throw new TremplinError("not-found", `there is no container ${name}; tremplin list shows all`);
  return found;
}

import { TremplinError } from "../../base/tremplin-error.ts";
import { Engine_State, Guest } from "../../contract/tremplin/v1/guest_pb.js";
import type { HostApi } from "../host-client/host-api.ts";
import { plainText } from "./text.ts";

/** A status must not keep a person waiting. Milliseconds. */
const PATIENCE = 10_000;

/**
 * The error for work that a guest refused. The contract's answer is a sentence only, so the guest is asked
 * whether the container is busy, or missing where it must exist.
 */
export async function refusal(
  api: HostApi,
  title: string,
  container: string,
  reason: string,
  mustExist: boolean,
): Promise<TremplinError> {
  const code = await codeOf(api, container, mustExist).catch(() => "failed" as const);
  return new TremplinError(code, `${title} was refused: ${plainText(reason) || "the guest gave no reason"}`);
}

async function codeOf(api: HostApi, container: string, mustExist: boolean) {
  const settings = { timeout: PATIENCE };
  const { operations, engine } = await api.call(Guest.method.getStatus, {}, settings);
  if (operations.some(({ containerName }) => containerName === container)) return "busy";
  if (!mustExist || engine?.state !== Engine_State.RUNNING) return "failed";
  const { containers } = await api.call(Guest.method.listContainers, {}, settings);
  return containers.some(({ name }) => name === container) ? "failed" : "not-found";
}

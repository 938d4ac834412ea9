import { plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Engine_State, Guest } from "../../contract/tremplin/v1/guest_pb.js";
import type { HostApi } from "./host-api.ts";
import { findContainer } from "./list-containers.ts";
import { plainReason } from "./plain-reason.ts";

const STATUS_TIMEOUT_MS = 10_000;

/**
 * The error for a request that a guest refused. The contract gives only a sentence as the reason, so this asks the
 * guest whether the container is busy, or missing although it must exist.
 */
export async function refusalError(
  api: HostApi,
  title: string,
  container: string,
  reason: string,
  mustExist: boolean,
): Promise<TremplinError> {
  const code = await codeOf(api, container, mustExist).catch(() => "failed" as const);
  return new TremplinError(
    code,
    `${title} was refused: ${plainText(plainReason(reason)) || "the guest gave no reason"}`,
  );
}

async function codeOf(api: HostApi, container: string, mustExist: boolean) {
  const settings = { timeout: STATUS_TIMEOUT_MS };
  const { operations, engine } = await api.call(Guest.method.getStatus, {}, settings);
  if (operations.some(({ containerName }) => containerName === container)) return "busy";
  if (!mustExist || engine?.state !== Engine_State.RUNNING) return "failed";
  return await findContainer(api, container).then(
    () => "failed" as const,
    (thrown) => (TremplinError.from(thrown).code === "not-found" ? "not-found" : "failed"),
  );
}

import { plainText } from "../../base/text.ts";
import { type ErrorCode, TremplinError } from "../../base/tremplin-error.ts";
import { Engine_State, Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { cancelAdvice, cancellingCommand } from "./cancel-advice.ts";
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
  const { code, advice } = await causeOf(api, container, mustExist).catch(() => unknownCause);
  const given = plainText(plainReason(reason)) || "the guest gave no reason";
  const sentence = code === "not-found" ? `there is no container ${container}` : given;
  return new TremplinError(code, `${title} was refused: ${sentence}${advice}`);
}

interface Cause {
  readonly code: ErrorCode;
  /** The end of the sentence. */
  readonly advice: string;
}

const unknownCause: Cause = { code: "failed", advice: "" };

async function causeOf(api: HostApi, container: string, mustExist: boolean): Promise<Cause> {
  const settings = { timeout: STATUS_TIMEOUT_MS };
  const { operations, engine } = await api.call(Guest.method.getStatus, {}, settings);
  const other = operations.find(({ containerName }) => containerName === container);
  if (other) return { code: "busy", advice: cancelAdvice(cancellingCommand(other.kind), container) };
  if (!mustExist || engine?.state !== Engine_State.RUNNING) return unknownCause;
  const missing: Cause = { code: "not-found", advice: "; tremplin list shows all" };
  return await findContainer(api, container).then(
    () => unknownCause,
    (thrown) => (TremplinError.from(thrown).code === "not-found" ? missing : unknownCause),
  );
}

import type { TremplinError } from "../../base/tremplin-error.ts";
import { UpgradeContainerProgress_Status } from "../../contract/tremplin_pb.js";

interface OnContainer {
  readonly containerName: string;
}

/** The final messages of a failed and of a cancelled operation that have nothing but a reason. */
export function failureMessages<Status>(status: { readonly FAILED: Status; readonly CANCELLED: Status }) {
  const withStatus =
    (value: Status) =>
    ({ containerName }: OnContainer, { message }: TremplinError) => ({
      containerName,
      status: value,
      failureReason: message,
    });
  return { failed: withStatus(status.FAILED), cancelled: withStatus(status.CANCELLED) };
}

const { FAILED } = UpgradeContainerProgress_Status;

/** The contract has no status for a cancelled upgrade: it failed, and the reason says that it was cancelled. */
export const upgradeFailureMessages = failureMessages({ FAILED, CANCELLED: FAILED });

/** Those of an operation that is no upgrade but has the notices of one: the line says what failed. */
export function failureMessagesWithLine(line: string) {
  const { failed } = upgradeFailureMessages;
  const withLine = (request: OnContainer, error: TremplinError) => ({
    ...failed(request, error),
    progressMessages: [line],
  });
  return { failed: withLine, cancelled: withLine };
}

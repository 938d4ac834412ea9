import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

/** The rule for the notices of one rpc (docs/contract.md#tremplinlistener). */
export interface NoticeRule {
  /** The error for an empty container name; undefined: the name is not checked. */
  readonly missingName?: Code;
  /** Reject an unknown status, or set it to 0. Undefined: the notice has no status. */
  readonly unknownStatus?: "reject" | "clear";
}

/** Engines accept 63 characters. */
const MAX_NAME_BYTES = 255;

interface Checked {
  containerName?: string;
  status?: number;
}

/** Throws the answer to a notice that breaks its rule. May set an unknown status to 0. */
export function checkNotice(schema: DescMessage, message: Checked, rule: NoticeRule): void {
  if (rule.missingName && !message.containerName) {
    throw new ConnectError(`${schema.name} has no container_name`, rule.missingName);
  }
  if (Buffer.byteLength(message.containerName ?? "") > MAX_NAME_BYTES) {
    throw new ConnectError(
      `${schema.name} has a container_name of more than ${MAX_NAME_BYTES} bytes`,
      Code.InvalidArgument,
    );
  }
  const status = schema.field.status;
  if (!rule.unknownStatus || status?.fieldKind !== "enum" || message.status === undefined) return;
  if (status.enum.value[message.status]) return;
  if (rule.unknownStatus === "clear") {
    message.status = 0;
    return;
  }
  throw new ConnectError(`${schema.name} has the unknown status ${message.status}`, Code.FailedPrecondition);
}

import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

/** What is asked of a notice of one kind (behaviour.md 6). */
export interface NoticeRule {
  /** The error for an empty container name; undefined where it is not looked at. */
  readonly missingName?: Code;
  /** What becomes of a status whose number is unknown; undefined for notices that have none. */
  readonly unknownStatus?: "refused" | "unknown";
}

/** What all notices have of what is looked at here. */
interface Checked {
  containerName?: string;
  status?: number;
}

/** Throws what the guest must hear when a notice breaks its rule; sets an unknown status to 0 where that is meant. */
export function checkNotice(schema: DescMessage, message: Checked, rule: NoticeRule): void {
  if (rule.missingName && !message.containerName) {
    throw new ConnectError(`${schema.name} has no container_name`, rule.missingName);
  }
  const status = schema.field.status;
  if (!rule.unknownStatus || status?.fieldKind !== "enum" || message.status === undefined) return;
  if (status.enum.value[message.status]) return;
  if (rule.unknownStatus === "unknown") {
    message.status = 0;
    return;
  }
  throw new ConnectError(`${schema.name} has the unknown status ${message.status}`, Code.FailedPrecondition);
}

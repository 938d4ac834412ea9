import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import type { Event } from "../../contract/tremplin/v1/host_pb.js";
import { type NoticeText, noticeText } from "../../host/notice-text.ts";
import type { OperationSpec } from "./run-operation.ts";

/**
 * An operation that reports by the notices of another one, since a host knows only those of the contract: reads them
 * in its own words. `result` is what a success is called.
 */
export function withResult(result: string, spec: OperationSpec): OperationSpec {
  return { ...spec, read: (event) => inOwnWords(event, result, spec.title) };
}

function inOwnWords(event: Event, result: string, title: string): NoticeText | undefined {
  const notice = noticeText(event);
  switch (notice?.state) {
    case "going":
      return { ...notice, text: title };
    case "done":
      return { ...notice, text: [result, notice.reason].filter(Boolean).join(": ") };
    case "failed":
      return { ...notice, text: `${title} failed: ${notice.reason ?? notice.text}` };
    default:
      return undefined;
  }
}

/** What Ctrl-C does while the operation of a container is under way. */
export function cancelOperation(containerName: string): NonNullable<OperationSpec["cancel"]> {
  return async (api, settings) => {
    await api.call(Guest.method.cancelOperation, { containerName }, settings);
  };
}

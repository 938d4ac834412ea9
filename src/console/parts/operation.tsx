import { timestampMs } from "@bufbuild/protobuf/wkt";
import { durationText } from "../../base/text.ts";
import { type OperationInfo, OperationInfo_State as State } from "../../contract/tremplin/v1/host_pb.js";
import { cancel } from "../api/actions.ts";
import { sentence } from "../api/host.ts";
import { useShown } from "../api/use-live.ts";
import { Bar } from "./bar.tsx";
import { ActionButton, anytime } from "./button.tsx";
import { whenText } from "./when.ts";

const titles: Readonly<Record<string, string>> = {
  create: "Create",
  delete: "Delete",
  start: "Start",
  stop: "Stop",
  export: "Backup",
  import: "Restore",
  upgrade: "Release upgrade",
  start_lxd: "Start of the engine",
};

const cancellable = ["export", "import", "upgrade"];

export function operationTitle({ kind }: OperationInfo): string {
  return titles[kind] ?? kind.replaceAll("_", " ");
}

/** An operation under way: what it does, how far it is, for how long. */
export function OperationProgress({ operation }: { readonly operation: OperationInfo }) {
  const { readAt } = useShown();
  const { text, percent, begun, kind } = operation;
  const elapsed = begun ? durationText(readAt - timestampMs(begun)) : "";
  const title = `${operationTitle(operation)} of ${operation.containerName || "the engine"}`;
  return (
    <div class="operation">
      <Bar label={title} percent={percent} />
      <p class="operation-text">
        <span>{sentence(text)}</span> <span class="quiet-text">{elapsed}</span>
        {cancellable.includes(kind) && (
          <ActionButton
            look="quiet"
            action={anytime("cancel")}
            run={() => cancel(operation)}
            label={`Cancel: ${title}`}
          >
            Cancel
          </ActionButton>
        )}
      </p>
    </div>
  );
}

const stateWords: Readonly<Record<State, string>> = {
  [State.STATE_UNSPECIFIED]: "unknown",
  [State.UNDER_WAY]: "under way",
  [State.SUCCEEDED]: "done",
  [State.FAILED]: "failed",
};

/** Operations that were asked for, the newest first. */
export function OperationList({ operations, withNames }: ListProps) {
  if (operations.length === 0) return <p class="quiet-text">Nothing has been done yet.</p>;
  return (
    <ol class="history">
      {operations.map((each) => (
        <li key={`${each.guest} ${each.operation}`} class={`history-entry ${stateWords[each.state]}`}>
          <span class="history-state">{stateWords[each.state]}</span>
          <span class="history-what">
            {operationTitle(each)}
            {withNames && each.containerName !== "" && ` of ${each.containerName}`}
          </span>
          <span class="history-text">{sentence(each.text)}</span>
          <time class="quiet-text">{each.updated ? whenText(timestampMs(each.updated)) : ""}</time>
        </li>
      ))}
    </ol>
  );
}

interface ListProps {
  readonly operations: readonly OperationInfo[];
  readonly withNames: boolean;
}

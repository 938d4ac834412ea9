import { timestampMs } from "@bufbuild/protobuf/wkt";
import { useEffect, useState } from "preact/hooks";
import { paceText } from "../../base/pace.ts";
import { durationText } from "../../base/text.ts";
import {
  type ContainerInfo,
  type OperationInfo,
  OperationInfo_State as State,
} from "../../contract/tremplin/v1/host_pb.js";
import { cancel, kindOf } from "../api/actions.ts";
import { sentence } from "../api/host.ts";
import { live, useShown } from "../api/use-live.ts";
import { operationStep, operationTitle } from "../model/operation-titles.ts";
import { Bar } from "./bar.tsx";
import { ActionButton, actionNamed, anytime } from "./button.tsx";
import { whenText } from "./when.ts";

/** By the guest's word for it. */
const cancellable = ["export", "import", "upgrade", "snapshot", "copy"];

interface ProgressProps {
  readonly operation: OperationInfo;
  /** The container; undefined while there is none yet. */
  readonly info?: ContainerInfo | undefined;
}

/** An operation under way: what it does, how far it is, for how long. */
export function OperationProgress({ operation, info }: ProgressProps) {
  const { readAt } = useShown();
  const kind = useKind({ operation, info });
  const { text, percent } = operationStep(operation, kind);
  const { begun } = operation;
  const elapsed = begun ? durationText(readAt - timestampMs(begun)) : "";
  const pace = live.paces.of(operation);
  const times = [elapsed, percent !== undefined && pace ? paceText(pace) : ""].filter(Boolean).join(", ");
  const title = `${operationTitle(operation.kind, kind)} of ${operation.containerName || "the engine"}`;
  return (
    <div class="operation">
      <Bar label={title} percent={percent} />
      <p class="operation-text">
        <span>{sentence(text)}</span> <span class="quiet-text">{times}</span>
        {kind !== undefined && cancellable.includes(kind) && (
          <ActionButton
            look="quiet"
            action={info ? actionNamed(info.actions, "cancel") : anytime("cancel")}
            run={() => cancel(operation, kind)}
            label={`Cancel: ${title}`}
          >
            Cancel
          </ActionButton>
        )}
      </p>
    </div>
  );
}

/** What the guest calls the operation. It is asked only about a container that is not listed yet. */
function useKind({ operation, info }: ProgressProps): string | undefined {
  const [asked, setAsked] = useState<string>();
  const isListed = info !== undefined;
  const id = `${operation.guest} ${operation.operation}`;
  useEffect(() => {
    let isCurrent = true;
    setAsked(undefined);
    if (!isListed) void kindOf(operation).then((kind) => isCurrent && setAsked(kind));
    return () => {
      isCurrent = false;
    };
  }, [id, isListed]);
  return isListed ? info.container?.operation || undefined : asked;
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
            {operationTitle(each.kind)}
            {withNames && each.containerName !== "" && ` of ${each.containerName}`}
          </span>
          <span class="history-text">
            {sentence(each.state === State.UNDER_WAY ? operationStep(each, undefined).text : each.text)}
          </span>
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

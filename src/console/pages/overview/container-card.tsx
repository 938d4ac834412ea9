import type { ContainerInfo } from "../../../contract/tremplin/v1/host_pb.js";
import { start, stop } from "../../api/actions.ts";
import { legalActions } from "../../model/legal-actions.ts";
import { ActionButton, actionNamed } from "../../parts/button.tsx";
import { OperationProgress } from "../../parts/operation.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { UsageCharts } from "../../parts/usage-charts.tsx";
import { linkTo } from "../../route.ts";

interface CardProps {
  readonly guest: string;
  readonly info: ContainerInfo;
  readonly failureReason: string;
  /** Whether it is near the visible part of the page. */
  readonly isNear: boolean;
}

/** A container in short. */
export function ContainerCard({ guest, info, failureReason, isNear }: CardProps) {
  const { container } = info;
  if (!container) return null;
  const { name } = container;
  return (
    <>
      <div class="container-what">
        <h3>
          <a class="plain" href={linkTo("container", guest, name)}>
            {name}
          </a>
        </h3>
        <StateBadge info={info} />
        {isNear && (
          <p class="quiet-text">
            {container.image || "unknown image"}
            {container.ipv4Address !== "" && <span class="address">{container.ipv4Address}</span>}
          </p>
        )}
      </div>
      {isNear && <Rest guest={guest} info={{ ...info, actions: legalActions(info, { failureReason }) }} />}
    </>
  );
}

/** What it uses and does now, and the button for the next thing that most people do with it. */
function Rest({ guest, info }: { readonly guest: string; readonly info: ContainerInfo }) {
  const { container, actions, operation } = info;
  if (!container) return null;
  const target = { guest, name: container.name };
  const isOn = !["stopped", "error", ""].includes(container.state);
  const [verb, action, run] = isOn ? (["Stop", "stop", stop] as const) : (["Start", "start", start] as const);
  return (
    <>
      <UsageCharts guest={guest} container={container} />
      <div class="buttons">
        <ActionButton
          action={actionNamed(actions, action)}
          run={() => run(target)}
          label={`${verb} ${container.name}`}
        >
          {verb}
        </ActionButton>
      </div>
      {operation && <OperationProgress operation={operation} info={info} />}
    </>
  );
}

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { useState } from "preact/hooks";
import type { ContainerInfo } from "../../contract/tremplin/v1/host_pb.js";
import { remove, restart, start, stop, type Target } from "../api/actions.ts";
import { sentence } from "../api/host.ts";
import { findContainer } from "../api/live.ts";
import { useShown } from "../api/use-live.ts";
import { ActionButton, actionNamed, Button, useRefusal, useRun } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { OperationList, OperationProgress } from "../parts/operation.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { UsageCharts } from "../parts/usage-charts.tsx";
import { whenText } from "../parts/when.ts";
import { linkTo } from "../route.ts";
import { BackupCard } from "./container/backup-card.tsx";
import { PortsCard } from "./container/ports-card.tsx";
import { TimeZoneCard } from "./container/time-zone-card.tsx";
import { UpgradeCard } from "./container/upgrade-card.tsx";
import { UserCard } from "./container/user-card.tsx";

/** One container, and all that can be done with it. */
export function ContainerPage(target: Target) {
  const shown = useShown();
  const info = findContainer(shown, target.guest, target.name);
  const operations = shown.operations.filter(
    ({ guest, containerName }) => guest === target.guest && containerName === target.name,
  );
  const underWay = info?.operation ?? operations.find(({ state }) => state === 1);
  return (
    <>
      <p class="back">
        <a href={linkTo()}>All containers</a>
      </p>
      <div class="section-head">
        <div class="title">
          <h1>{target.name}</h1>
          {info && <StateBadge info={info} />}
        </div>
        {info && <PowerButtons target={target} info={info} />}
      </div>
      {underWay && (
        <div class="card">
          <OperationProgress operation={underWay} info={info} />
        </div>
      )}
      {info ? (
        <Details target={target} info={info} />
      ) : (
        <Missing isKnown={shown.guests !== undefined} target={target} />
      )}
      <section class="card">
        <h2>History</h2>
        <OperationList operations={operations} withNames={false} />
      </section>
    </>
  );
}

function Missing({ isKnown, target }: { readonly isKnown: boolean; readonly target: Target }) {
  if (!isKnown) return <p class="quiet-text">Asking the host…</p>;
  return (
    <section class="empty">
      <h2>
        There is no container {target.name} on {target.guest}
      </h2>
      <p>
        It was deleted or renamed, or was never there. <a href={linkTo()}>See all containers</a>.
      </p>
    </section>
  );
}

function PowerButtons({ target, info }: { readonly target: Target; readonly info: ContainerInfo }) {
  const { actions } = info;
  return (
    <div class="buttons">
      <ActionButton look="main" action={actionNamed(actions, "start")} run={() => start(target)}>
        Start
      </ActionButton>
      <ActionButton action={actionNamed(actions, "stop")} run={() => stop(target)}>
        Stop
      </ActionButton>
      <ActionButton action={actionNamed(actions, "restart")} run={() => restart(target)}>
        Restart
      </ActionButton>
      <DeleteButton target={target} info={info} />
    </div>
  );
}

function DeleteButton({ target, info }: { readonly target: Target; readonly info: ContainerInfo }) {
  const [isAsking, setAsking] = useState(false);
  const refusal = useRefusal(actionNamed(info.actions, "delete"));
  const { runIt, isBusy } = useRun();
  const isRunning = info.container?.state === "running";
  return (
    <>
      <Button look="danger" refusal={refusal} isBusy={isBusy} onClick={() => setAsking(true)}>
        Delete
      </Button>
      {isAsking && (
        <Dialog
          title={`Delete ${target.name}?`}
          verb={`Delete ${target.name}`}
          onClose={() => setAsking(false)}
          onConfirm={() => void runIt(() => remove(target))}
        >
          <p>
            Lost for good: every file in {target.name}, its users and programs, all its snapshots, so that its
            upgrade cannot be rolled back any more.
          </p>
          {isRunning && (
            <p>It is running: its programs are stopped first, and what they have not saved is lost too.</p>
          )}
          <p>Backups in the shared folder stay. Without one, nothing brings it back.</p>
        </Dialog>
      )}
    </>
  );
}

function Details({ target, info }: { readonly target: Target; readonly info: ContainerInfo }) {
  const { container, ports, actions } = info;
  if (!container) return null;
  const addresses =
    container.addresses.length > 0 ? container.addresses : [container.ipv4Address].filter(Boolean);
  return (
    <>
      <section class="card">
        <h2>Now</h2>
        <UsageCharts guest={target.guest} container={container} withLimit />
        <dl class="facts">
          <Fact name="Address">{addresses.join(", ") || "none"}</Fact>
          <Fact name="Listens on">{ports.length > 0 ? `TCP ${ports.join(", ")}` : "no TCP port"}</Fact>
          <Fact name="Image">{container.image || "unknown"}</Fact>
          <Fact name="Created">
            {container.createdAt ? whenText(timestampMs(container.createdAt)) : "unknown"}
          </Fact>
          <Fact name="Guest">{target.guest}</Fact>
          {container.privileged && <Fact name="Privileged">yes: its root is the root of the guest</Fact>}
        </dl>
        {info.stale && <p class="quiet-text">{sentence(`the guest ${target.guest} is away`)}</p>}
      </section>
      <div class="cards">
        <PortsCard target={target} />
        <BackupCard target={target} actions={actions} />
        <UpgradeCard target={target} actions={actions} canRollBack={container.hasRollbackSnapshot === true} />
        <UserCard target={target} actions={actions} />
        <TimeZoneCard target={target} actions={actions} />
      </div>
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

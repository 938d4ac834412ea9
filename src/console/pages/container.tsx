import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ContainerInfo, OperationInfo } from "../../contract/tremplin/v1/host_pb.js";
import { remove, restart, start, stop, type Target } from "../api/actions.ts";
import { sentence } from "../api/host.ts";
import { findContainer } from "../api/live.ts";
import { useShown } from "../api/use-live.ts";
import { useTransfer } from "../api/use-transfer.ts";
import { lastKnownText } from "../model/guest-texts.ts";
import { AskFirst } from "../parts/ask-first.tsx";
import { ActionButton, actionNamed, Button, useRefusal } from "../parts/button.tsx";
import { Fact } from "../parts/fact.tsx";
import { OperationList, OperationProgress } from "../parts/operation.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { UsageCharts } from "../parts/usage-charts.tsx";
import { whenText } from "../parts/when.ts";
import { linkTo } from "../route.ts";
import { BackupCard } from "./container/backup-card.tsx";
import { NameCard } from "./container/name-card.tsx";
import { PortsCard } from "./container/ports-card.tsx";
import { SettingsCard } from "./container/settings-card.tsx";
import { SnapshotsCard } from "./container/snapshots-card.tsx";
import { TimeZoneCard } from "./container/time-zone-card.tsx";
import { UpgradeCard } from "./container/upgrade-card.tsx";
import { UsbCard } from "./container/usb-card.tsx";
import { UserCard } from "./container/user-card.tsx";

/** One container, and all that can be done with it. */
export function ContainerPage(target: Target) {
  const shown = useShown();
  const all = shown.guests?.find(({ guest }) => guest?.name === target.guest);
  const info = findContainer(shown, target.guest, target.name);
  const operations = shown.operations.filter(
    ({ guest, containerName }) => guest === target.guest && containerName === target.name,
  );
  const underWay = info?.operation ?? operations.find(({ state }) => state === 1);
  const transfer = useTransfer();
  const isShownAbove = underWay !== undefined && underWay.operation === transfer?.state?.operation;
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
      {all && all.failureReason !== "" && (
        <div class="note warning">
          <p>
            {sentence(all.failureReason)} {lastKnownText(all)}
          </p>
        </div>
      )}
      {underWay && !isShownAbove && (
        <div class="card">
          <OperationProgress operation={underWay} info={info} />
        </div>
      )}
      {info && <Details target={target} info={info} changed={changeOf(operations[0])} />}
      {!info && !underWay && <Missing isKnown={shown.guests !== undefined} target={target} />}
      <section class="card">
        <h2>History</h2>
        <OperationList operations={operations} withNames={false} />
      </section>
    </>
  );
}

/** Another text whenever an operation has begun or ended. */
function changeOf(newest: OperationInfo | undefined): string {
  return newest ? `${newest.operation} ${newest.state}` : "";
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
  const refusal = useRefusal(actionNamed(actions, "shell"));
  const openTerminal = (): void => location.assign(linkTo("terminal", target.guest, target.name));
  return (
    <div class="buttons">
      <Button refusal={refusal} onClick={openTerminal}>
        Terminal
      </Button>
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

function DeleteButton({
  target: { guest, name },
  info,
}: {
  readonly target: Target;
  readonly info: ContainerInfo;
}) {
  return (
    <AskFirst
      text="Delete"
      look="danger"
      action={actionNamed(info.actions, "delete")}
      title={`Delete ${name}?`}
      verb={`Delete ${name}`}
      run={() => remove({ guest, name })}
    >
      <p>
        Lost for good: every file in {name}, its users and programs, all its snapshots, so that its upgrade
        cannot be rolled back any more.
      </p>
      {info.container?.state === "running" && (
        <p>It is running: its programs are stopped first, and what they have not saved is lost too.</p>
      )}
      <p>Backups in the shared folder stay. Without one, nothing brings it back.</p>
    </AskFirst>
  );
}

interface DetailsProps {
  readonly target: Target;
  readonly info: ContainerInfo;
  readonly changed: string;
}

function Details({ target, info, changed }: DetailsProps) {
  const { container, ports, actions } = info;
  if (!container) return null;
  const card = { target, actions, changed };
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
        <p>
          <a href={linkTo("log", target.guest, target.name)}>Its log</a>
        </p>
      </section>
      <div class="cards">
        <PortsCard target={target} />
        <BackupCard {...card} />
        <UsbCard {...card} />
        <SnapshotsCard {...card} isRunning={container.state === "running"} />
        <UpgradeCard
          {...card}
          canRollBack={container.hasRollbackSnapshot === true}
          isUnderWay={container.operation === "upgrade"}
        />
        <SettingsCard {...card} />
        <NameCard {...card} />
        <UserCard {...card} />
        <TimeZoneCard {...card} />
      </div>
    </>
  );
}

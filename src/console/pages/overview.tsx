import type { ContainerInfo, GuestContainers } from "../../contract/tremplin/v1/host_pb.js";
import { start, stop } from "../api/actions.ts";
import { startEngine } from "../api/guests.ts";
import { sentence } from "../api/host.ts";
import { useShown } from "../api/use-live.ts";
import { countText, lastKnownText } from "../model/guest-texts.ts";
import { ActionButton, actionNamed, Button, useRefusal } from "../parts/button.tsx";
import { OperationProgress } from "../parts/operation.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { UsageCharts } from "../parts/usage-charts.tsx";
import { linkTo } from "../route.ts";
import { NoGuests } from "./guests.tsx";

/** All containers of all guests. */
export function OverviewPage() {
  const { guests } = useShown();
  return (
    <>
      <h1>Containers</h1>
      {!guests && <p class="quiet-text">Asking the host for its containers…</p>}
      {guests?.length === 0 && <NoGuests />}
      {guests?.map((each) => (
        <GuestSection key={each.guest?.name} all={each} />
      ))}
    </>
  );
}

function GuestSection({ all }: { readonly all: GuestContainers }) {
  const { guest, containers, failureReason, actions } = all;
  const name = guest?.name ?? "";
  const isAway = guest?.reachable === false;
  const { operations } = useShown();
  // What is being created, or imported under a new name, is no container yet.
  const names = new Set(containers.map(({ container }) => container?.name));
  const begun = operations.filter(
    (each) => each.guest === name && each.state === 1 && !names.has(each.containerName),
  );
  return (
    <section class="guest" aria-label={`Guest ${name}`}>
      <div class="section-head">
        <div>
          <h2>
            <a class="plain" href={linkTo("guest", name)}>
              {name}
            </a>
          </h2>
          <p class="quiet-text">{isAway ? "away" : countText(containers.length)}</p>
        </div>
        <div class="buttons">
          <StartEngine guest={name} action={actionNamed(actions, "start-engine")} />
          <PageButton to={["restore", name]} action={actionNamed(actions, "import")} text="Import a backup" />
          <PageButton
            to={["create", name]}
            action={actionNamed(actions, "create")}
            text="New container"
            isMain
          />
        </div>
      </div>
      {failureReason !== "" && (
        <div class="note warning">
          <p>
            {sentence(failureReason)} {lastKnownText(all)}
          </p>
        </div>
      )}
      {begun.map((operation) => (
        <div class={`card ${isAway ? "stale" : ""}`} key={operation.operation}>
          {operation.containerName !== "" && <h3>{operation.containerName}</h3>}
          <OperationProgress operation={operation} />
        </div>
      ))}
      {containers.length === 0 && begun.length === 0 && failureReason === "" && <NoContainers guest={name} />}
      <ul class="containers">
        {containers.map((info) => (
          <ContainerCard key={info.container?.name} guest={name} info={info} />
        ))}
      </ul>
    </section>
  );
}

interface StartEngineProps {
  readonly guest: string;
  readonly action: GuestContainers["actions"][number] | undefined;
}

/** Shown where it is what to do next. */
function StartEngine({ guest, action }: StartEngineProps) {
  if (action?.refusal !== "") return null;
  return (
    <ActionButton
      look="main"
      action={action}
      run={() => startEngine(guest)}
      label={`Start the engine of ${guest}`}
    >
      Start the engine
    </ActionButton>
  );
}

function NoContainers({ guest }: { readonly guest: string }) {
  return (
    <div class="empty">
      <h3>No container yet</h3>
      <p>
        <a href={linkTo("create", guest)}>Create one</a> of a Debian release, or{" "}
        <a href={linkTo("restore", guest)}>import a backup</a> that you have.
      </p>
    </div>
  );
}

interface PageButtonProps {
  readonly to: readonly string[];
  readonly action: GuestContainers["actions"][number] | undefined;
  readonly text: string;
  readonly isMain?: boolean;
}

/** Leads to the page of an action. */
function PageButton({ to, action, text, isMain = false }: PageButtonProps) {
  const go = (): void => {
    location.hash = linkTo(...to);
  };
  return (
    <Button look={isMain ? "main" : "plain"} refusal={useRefusal(action)} onClick={go}>
      {text}
    </Button>
  );
}

function ContainerCard({ guest, info }: { readonly guest: string; readonly info: ContainerInfo }) {
  const { container, actions, operation, stale } = info;
  if (!container) return null;
  const { name } = container;
  const target = { guest, name };
  const isOn = !["stopped", "error", ""].includes(container.state);
  return (
    <li class={`card container ${stale ? "stale" : ""}`}>
      <div class="container-what">
        <h3>
          <a class="plain" href={linkTo("container", guest, name)}>
            {name}
          </a>
        </h3>
        <StateBadge info={info} />
        <p class="quiet-text">
          {container.image || "unknown image"}
          {container.ipv4Address !== "" && <span class="address">{container.ipv4Address}</span>}
        </p>
      </div>
      <UsageCharts guest={guest} container={container} />
      <div class="buttons">
        {isOn ? (
          <ActionButton action={actionNamed(actions, "stop")} run={() => stop(target)} label={`Stop ${name}`}>
            Stop
          </ActionButton>
        ) : (
          <ActionButton
            action={actionNamed(actions, "start")}
            run={() => start(target)}
            label={`Start ${name}`}
          >
            Start
          </ActionButton>
        )}
      </div>
      {operation && <OperationProgress operation={operation} info={info} />}
    </li>
  );
}

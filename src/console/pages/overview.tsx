import { useState } from "preact/hooks";
import type { ContainerInfo, GuestContainers } from "../../contract/tremplin/v1/host_pb.js";
import { startEngine } from "../api/guests.ts";
import { sentence } from "../api/host.ts";
import { useShown } from "../api/use-live.ts";
import { countText, lastKnownText } from "../model/guest-texts.ts";
import { ActionButton, actionNamed, Button, useRefusal } from "../parts/button.tsx";
import { TextField } from "../parts/field.tsx";
import { OperationProgress } from "../parts/operation.tsx";
import { linkTo } from "../route.ts";
import { NoGuests } from "./guests.tsx";
import { ContainerItem } from "./overview/container-item.tsx";

/** From so many containers on there is a field to find one. */
const MANY = 10;

/** All containers of all guests. */
export function OverviewPage() {
  const { guests } = useShown();
  const [wanted, setWanted] = useState("");
  const count = guests?.reduce((sum, { containers }) => sum + containers.length, 0) ?? 0;
  const isWanted = ({ container }: ContainerInfo): boolean =>
    container?.name.includes(wanted.trim()) === true;
  return (
    <>
      <div class="section-head">
        <h1>Containers</h1>
        {count > MANY && (
          <div class="search">
            <TextField label="Find a container" value={wanted} onInput={setWanted} />
          </div>
        )}
      </div>
      {!guests && <p class="quiet-text">Asking the host for its containers…</p>}
      {guests?.length === 0 && <NoGuests />}
      {guests?.map((each) => (
        <GuestSection key={each.guest?.name} all={each} isWanted={isWanted} />
      ))}
    </>
  );
}

interface GuestSectionProps {
  readonly all: GuestContainers;
  readonly isWanted: (info: ContainerInfo) => boolean;
}

function GuestSection({ all, isWanted }: GuestSectionProps) {
  const { guest, containers, failureReason, actions } = all;
  const name = guest?.name ?? "";
  const isAway = guest?.reachable === false;
  const found = containers.filter(isWanted);
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
      {containers.length > 0 && found.length === 0 && (
        <p class="quiet-text">No container has this in its name here.</p>
      )}
      <ul class="containers">
        {found.map((info) => (
          <ContainerItem key={info.container?.name} guest={name} info={info} failureReason={failureReason} />
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

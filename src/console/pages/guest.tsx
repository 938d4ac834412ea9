import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { GuestContainers } from "../../contract/tremplin/v1/host_pb.js";
import { removeGuest, startEngine, statusOf } from "../api/guests.ts";
import { sentence } from "../api/host.ts";
import { useAnswer } from "../api/use-answer.ts";
import { useShown } from "../api/use-live.ts";
import { countText, guestState, lastKnownText } from "../model/guest-texts.ts";
import { Answered } from "../parts/answered.tsx";
import { AskFirst } from "../parts/ask-first.tsx";
import { ActionButton, actionNamed, anytime } from "../parts/button.tsx";
import { Fact } from "../parts/fact.tsx";
import { UsbPorts } from "../parts/usb-ports.tsx";
import { whenText } from "../parts/when.ts";
import { linkTo } from "../route.ts";
import { GuestFacts, Problems } from "./guest/status.tsx";
import { GuestTimeZone } from "./guest/time-zones.tsx";

/** How often a guest is asked how it is. */
const LOOK_MS = 10_000;

/** One guest, and what can be done with it. */
export function GuestPage({ name }: { readonly name: string }) {
  const { guests } = useShown();
  const all = guests?.find(({ guest }) => guest?.name === name);
  const state = all && guestState(all);
  return (
    <>
      <p class="back">
        <a href={linkTo("guests")}>All guests</a>
      </p>
      <div class="section-head">
        <div class="title">
          <h1>{name}</h1>
          {state && <span class={`badge ${state.look}`}>{state.text}</span>}
        </div>
        {all && <GuestButtons all={all} name={name} />}
      </div>
      {!guests && <p class="quiet-text">Asking the host…</p>}
      {guests && !all && (
        <section class="empty">
          <h2>The host has no guest {name}</h2>
          <p>
            It was removed, or was never there. <a href={linkTo("guests")}>See all guests</a>.
          </p>
        </section>
      )}
      {all && <Details all={all} name={name} />}
    </>
  );
}

interface GuestProps {
  readonly all: GuestContainers;
  readonly name: string;
}

function GuestButtons({ all: { guest, actions, containers }, name }: GuestProps) {
  const fixed = `${name} comes from the command line of the host: remove its --guest there, and start the host again`;
  const start = actionNamed(actions, "start-engine");
  return (
    <div class="buttons">
      {start?.refusal === "" && (
        <ActionButton look="main" action={start} run={() => startEngine(name)}>
          Start the engine
        </ActionButton>
      )}
      <a class="button plain" href={linkTo("debug", name)}>
        Debug information
      </a>
      <AskFirst
        text="Remove"
        look="danger"
        action={anytime("remove", guest?.fromCommandLine ? fixed : "")}
        title={`Remove ${name} from this host?`}
        verb={`Remove ${name}`}
        run={() => removeGuest(name)}
      >
        <p>
          Lost: what the host knows of {name}: its address, its token, and how its{" "}
          {countText(containers.length)} last was. Their ports on this machine are closed.
        </p>
        <p>The guest and its containers go on as they are. The history stays, and it can be added again.</p>
      </AskFirst>
    </div>
  );
}

function Details({ all, name }: GuestProps) {
  const { guest, containers, failureReason, actions } = all;
  const look = Math.floor(useShown().readAt / LOOK_MS);
  const status = useAnswer((signal) => statusOf(name, signal), `${name} ${look}`);
  const names = containers.flatMap(({ container }) => (container ? [container.name] : []));
  const isLive = failureReason === "";
  return (
    <>
      {!isLive && (
        <div class="note warning">
          <p>
            {sentence(failureReason)} {lastKnownText(all)}
          </p>
        </div>
      )}
      {guest && guest.listenerProblem !== "" && (
        <div class="note warning">
          <p>None of its notices arrive: {sentence(guest.listenerProblem)}</p>
        </div>
      )}
      <section class="card">
        <h2>Now</h2>
        <dl class="facts">
          <Fact name="Address">{guest?.address ?? ""}</Fact>
          <Fact name="Containers">{`${containers.length}`}</Fact>
          <Fact name="Last notice">
            {guest?.lastNotice ? whenText(timestampMs(guest.lastNotice)) : "none yet"}
          </Fact>
        </dl>
        {guest?.reachable !== false && (
          <Answered answer={status} asking="Asking how it is…">
            {(value) => <GuestFacts status={value.status} />}
          </Answered>
        )}
        <p>
          <a href={linkTo()}>Its containers</a>
        </p>
      </section>
      {status.value && <Problems problems={status.value.problems} />}
      {guest?.reachable !== false && (
        <div class="cards">
          <section class="card">
            <h2>USB</h2>
            <p>What is plugged into {name}, and the container that has it.</p>
            <UsbPorts guest={name} containers={names} action={actionNamed(actions, "create")} />
          </section>
          {isLive && <GuestTimeZone guest={name} containers={names} />}
        </div>
      )}
    </>
  );
}

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { GuestContainers } from "../../contract/tremplin/v1/host_pb.js";
import { sentence } from "../api/host.ts";
import { useShown } from "../api/use-live.ts";
import { countText, guestState, lastKnownText } from "../model/guest-texts.ts";
import { anytime, Button, useRefusal } from "../parts/button.tsx";
import { whenText } from "../parts/when.ts";
import { linkTo } from "../route.ts";

/** The systems in which containers run. */
export function GuestsPage() {
  const { guests } = useShown();
  const refusal = useRefusal(anytime("add"));
  const add = (): void => {
    location.hash = linkTo("add-guest");
  };
  return (
    <>
      <div class="section-head">
        <div>
          <h1>Guests</h1>
          <p class="lead">The Linux systems in which the containers run.</p>
        </div>
        <div class="buttons">
          <Button look="main" refusal={refusal} onClick={add}>
            Add a guest
          </Button>
        </div>
      </div>
      {!guests && <p class="quiet-text">Asking the host for its guests…</p>}
      {guests?.length === 0 && <NoGuests />}
      <ul class="containers">
        {guests?.map((each) => (
          <GuestCard key={each.guest?.name} all={each} />
        ))}
      </ul>
    </>
  );
}

export function NoGuests() {
  return (
    <div class="empty">
      <h2>No guest yet</h2>
      <p>
        Containers run in a guest: a Linux system with Tremplin’s daemon. On a Linux machine{" "}
        <code>tremplin up</code> makes the machine itself one, and <code>tremplin machine up</code> makes a
        virtual one.
      </p>
      <p>
        <a href={linkTo("add-guest")}>Add one that is there already</a>.
      </p>
    </div>
  );
}

function GuestCard({ all }: { readonly all: GuestContainers }) {
  const { guest, containers, failureReason } = all;
  if (!guest) return null;
  const { text, look } = guestState(all);
  return (
    <li class={`card ${look === "unknown" ? "stale" : ""}`}>
      <div class="title">
        <h2>
          <a class="plain" href={linkTo("guest", guest.name)}>
            {guest.name}
          </a>
        </h2>
        <span class={`badge ${look}`}>{text}</span>
      </div>
      <p class="quiet-text">
        {guest.address} · {countText(containers.length)} ·{" "}
        {guest.lastNotice ? `last notice ${whenText(timestampMs(guest.lastNotice))}` : "no notice yet"}
      </p>
      {failureReason !== "" && (
        <p>
          {sentence(failureReason)} {lastKnownText(all)}
        </p>
      )}
    </li>
  );
}

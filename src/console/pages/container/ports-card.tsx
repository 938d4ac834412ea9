import { type Forward, Forward_State as State } from "../../../contract/tremplin/v1/host_pb.js";
import { switchForward, type Target } from "../../api/actions.ts";
import { sentence } from "../../api/host.ts";
import { useShown } from "../../api/use-live.ts";
import { ActionButton, anytime } from "../../parts/button.tsx";

const closedTexts: Readonly<Partial<Record<State, string>>> = {
  [State.OFF]: "switched off",
  [State.IDLE]: "nothing listens there now",
  [State.GUEST_AWAY]: "the guest does not answer",
};

/** The ports of this machine that lead into a container. */
export function PortsCard({ target }: { readonly target: Target }) {
  const { forwards } = useShown();
  const own = forwards.filter(
    ({ guest, containerName }) => guest === target.guest && containerName === target.name,
  );
  return (
    <section class="card">
      <h2>Ports</h2>
      <p>What programs in {target.name} serve on TCP, on the host’s machine.</p>
      {own.length === 0 && (
        <p class="quiet-text">Nothing in it listens on a port yet. One that does appears here.</p>
      )}
      <ul class="rows">
        {own.map((each) => (
          <PortEntry key={each.port} forward={each} />
        ))}
      </ul>
    </section>
  );
}

function PortEntry({ forward }: { readonly forward: Forward }) {
  const { port, hostPort, state, reason } = forward;
  const isOff = state === State.OFF;
  const what = port === 0 ? "All ports" : `Port ${port}`;
  const verb = isOff ? "Switch on" : "Switch off";
  return (
    <li>
      <div>
        <span class="row-name">{what}</span>{" "}
        {state === State.OPEN && (
          <a href={urlOf(hostPort)} target="_blank" rel="noopener noreferrer">
            {new URL(urlOf(hostPort)).host}
          </a>
        )}
        <p class="quiet-text">{sentence(reason || (closedTexts[state] ?? ""))}</p>
      </div>
      <ActionButton
        action={anytime("forward")}
        label={`${verb}: ${what}`}
        run={() => switchForward(forward, isOff)}
      >
        {verb}
      </ActionButton>
    </li>
  );
}

/** Under another name than the console has, because browsers send the cookies of a name to all of its ports. */
function urlOf(port: number): string {
  return `http://${location.hostname === "localhost" ? "127.0.0.1" : "localhost"}:${port}/`;
}

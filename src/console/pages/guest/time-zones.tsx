import { plainText } from "../../../base/text.ts";
import type { ContainerTimezone } from "../../../contract/tremplin/v1/guest_pb.js";
import { zonesOf } from "../../api/guests.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { Answered } from "../../parts/answered.tsx";
import { anytime } from "../../parts/button.tsx";
import { SetTimeZone } from "../../parts/set-time-zone.tsx";

interface GuestTimeZoneProps {
  readonly guest: string;
  readonly containers: readonly string[];
}

/** The time zones of all containers of a guest. */
export function GuestTimeZone({ guest, containers }: GuestTimeZoneProps) {
  const zones = useAnswer((signal) => zonesOf(guest, [], signal), `${guest} ${containers.join(" ")}`);
  const none = containers.length === 0 ? `${guest} has no container yet.` : "";
  return (
    <section class="card">
      <h2>Time zone</h2>
      <p>The time that clocks in all containers of {guest} show, of those that run and those that do not.</p>
      <Answered answer={zones} asking="Asking for their time zones…">
        {(all) => (
          <ul class="rows">
            {byZone(all).map(([zone, names]) => (
              <li key={zone}>
                <p class="row-name">{zone}</p>
                <p class="quiet-text">{shortList(names)}</p>
              </li>
            ))}
          </ul>
        )}
      </Answered>
      <SetTimeZone
        guest={guest}
        containers={containers}
        whose={`Every container of ${guest}`}
        action={anytime("timezone", none)}
        onSet={zones.again}
      />
    </section>
  );
}

const MOST_NAMES = 5;

function shortList(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** The names of the containers of each zone, the most used first. */
function byZone(all: readonly ContainerTimezone[]): [string, string[]][] {
  const zones = new Map<string, string[]>();
  for (const { zone, containerName } of all) {
    const key = plainText(zone) || "not known";
    zones.set(key, [...(zones.get(key) ?? []), plainText(containerName)]);
  }
  return [...zones].sort(([, a], [, b]) => b.length - a.length);
}

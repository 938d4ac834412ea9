import { zonesOf } from "../../api/guests.ts";
import { sentence } from "../../api/host.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { Answered } from "../../parts/answered.tsx";
import { actionNamed } from "../../parts/button.tsx";
import { SetTimeZone } from "../../parts/set-time-zone.tsx";
import type { CardProps } from "./card-props.ts";

/** The time zone of all programs in the container. */
export function TimeZoneCard({ target, actions, changed }: CardProps) {
  const { guest, name } = target;
  const zones = useAnswer((signal) => zonesOf(guest, [name], signal), `${guest}/${name} ${changed}`);
  return (
    <section class="card">
      <h2>Time zone</h2>
      <Answered answer={zones} asking="Asking for its time zone…">
        {([found]) => (
          <p>
            {found?.zone
              ? `Clocks in ${name} show the time of ${found.zone}.`
              : sentence(found?.failureReason || "it is not known")}
          </p>
        )}
      </Answered>
      <SetTimeZone
        guest={guest}
        containers={[name]}
        whose={name}
        action={actionNamed(actions, "timezone")}
        onSet={zones.again}
      />
    </section>
  );
}

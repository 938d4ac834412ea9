import { useState } from "preact/hooks";
import { setTimeZone } from "../../api/actions.ts";
import { sentence } from "../../api/host.ts";
import { useSay } from "../../api/use-live.ts";
import { ActionButton, actionNamed } from "../../parts/button.tsx";
import { TextField } from "../../parts/field.tsx";
import type { CardProps } from "./card-props.ts";

const zones = Intl.supportedValuesOf("timeZone");

/** The time zone of all programs in the container. */
export function TimeZoneCard({ target, actions }: CardProps) {
  const [zone, setZone] = useState(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  const say = useSay();
  const set = async (): Promise<void> => {
    const remark = await setTimeZone(target, zone);
    say({
      kind: "done",
      text: `${target.name} has the time of ${zone}. ${remark ? sentence(remark) : ""}`.trim(),
    });
  };
  return (
    <section class="card">
      <h2>Time zone</h2>
      <p>The time that clocks in {target.name} show. Yours is filled in.</p>
      <TextField
        label="Time zone"
        hint="Such as Europe/Berlin."
        value={zone}
        onInput={setZone}
        suggestions={zones}
      />
      <div class="buttons">
        <ActionButton action={actionNamed(actions, "timezone")} run={set}>
          Set
        </ActionButton>
      </div>
    </section>
  );
}

import { useState } from "preact/hooks";
import type { ActionInfo } from "../../contract/tremplin/v1/host_pb.js";
import { setTimeZone } from "../api/guests.ts";
import { sentence } from "../api/host.ts";
import { useSay } from "../api/use-live.ts";
import { ActionButton } from "./button.tsx";
import { TextField } from "./field.tsx";

const zones = Intl.supportedValuesOf("timeZone");

interface SetTimeZoneProps {
  readonly guest: string;
  readonly containers: readonly string[];
  /** Who has the zone then. */
  readonly whose: string;
  readonly action: ActionInfo | undefined;
  readonly onSet: () => void;
}

/** A field for a time zone, filled in with that of the browser, and a button that sets it. */
export function SetTimeZone({ guest, containers, whose, action, onSet }: SetTimeZoneProps) {
  const [zone, setZone] = useState(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  const say = useSay();
  const set = async (): Promise<void> => {
    const remark = await setTimeZone(guest, zone, containers);
    onSet();
    const text = `${whose} has the time of ${zone}. ${remark ? sentence(remark) : ""}`.trim();
    say({ kind: "done", text });
  };
  return (
    <>
      <TextField
        label="Time zone"
        hint="Yours is filled in."
        value={zone}
        onInput={setZone}
        suggestions={zones}
      />
      <div class="buttons">
        <ActionButton action={action} run={set}>
          Set
        </ActionButton>
      </div>
    </>
  );
}

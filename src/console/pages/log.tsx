import { useState } from "preact/hooks";
import type { Target } from "../api/actions.ts";
import { logOf } from "../api/daily.ts";
import { useAnswer } from "../api/use-answer.ts";
import { Choice } from "../parts/field.tsx";
import { LongText } from "../parts/long-text.tsx";
import { linkTo } from "../route.ts";

const logs = [
  { value: "system", text: "Of the system inside, which must run" },
  { value: "start", text: "Of its last start" },
];

const LINES = 1_000;

/** What the system in a container, or the engine about its last start, wrote to the log. */
export function LogPage(target: Target) {
  const [which, setWhich] = useState("system");
  const { guest, name } = target;
  const log = useAnswer((signal) => logOf(target, which === "start", LINES, signal), which);
  return (
    <section class="page">
      <p class="back">
        <a href={linkTo("container", guest, name)}>{name}</a>
      </p>
      <h1>Log of {name}</h1>
      <div class="narrow">
        <Choice label="Which" value={which} choices={logs} onChange={setWhich} />
      </div>
      <LongText
        answer={log}
        asking="Reading it…"
        nothing="Nothing is in it yet."
        label={`Log of ${name}`}
        fileName={`${name}-${which}.log`}
      />
    </section>
  );
}

import { useState } from "preact/hooks";
import { changeSettings, type Settings, settingsOf } from "../../api/daily.ts";
import { sentence } from "../../api/host.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { useSay } from "../../api/use-live.ts";
import { Answered } from "../../parts/answered.tsx";
import { ActionButton, actionNamed, anytime } from "../../parts/button.tsx";
import { Choice, TextField } from "../../parts/field.tsx";
import type { CardProps } from "./card-props.ts";

const fields = [
  { key: "cpu", label: "Processors", hint: "A number, or unlimited." },
  { key: "memory", label: "Memory", hint: "Such as 2GiB, or unlimited." },
  { key: "disk", label: "Disk", hint: "Such as 20GiB, or unlimited." },
] as const;

const autostart = [
  { value: "on", text: "yes" },
  { value: "off", text: "no" },
  { value: "last", text: "if it ran before" },
];

/** How much the container may use, and when it starts. */
export function SettingsCard({ target, actions, changed }: CardProps) {
  const key = `${target.guest}/${target.name} ${changed}`;
  const settings = useAnswer((signal) => settingsOf(target, signal), key);
  const [edited, setEdited] = useState<Settings>({});
  const say = useSay();
  const save = async (): Promise<void> => {
    const notes = await changeSettings(target, edited);
    setEdited({});
    settings.again();
    const text = [`The settings of ${target.name} are changed.`, ...notes.map((note) => sentence(note))];
    say({ kind: "done", text: text.join(" ") });
  };
  const noChange = Object.keys(edited).length === 0 ? "Nothing is changed yet." : undefined;
  return (
    <section class="card">
      <h2>Settings</h2>
      <p>How much of its guest {target.name} may use. All of it is effective at once.</p>
      <Answered answer={settings} asking="Asking for its settings…">
        {(now) => <Fields now={now} edited={edited} onEdit={setEdited} />}
      </Answered>
      <div class="buttons">
        <ActionButton
          action={noChange === undefined ? actionNamed(actions, "set") : anytime("set", noChange)}
          run={save}
        >
          Save
        </ActionButton>
      </div>
    </section>
  );
}

interface FieldsProps {
  readonly now: Settings;
  readonly edited: Settings;
  readonly onEdit: (edited: Settings) => void;
}

function Fields({ now, edited, onEdit }: FieldsProps) {
  const edit = (key: string, value: string): void => {
    const { [key]: _, ...others } = edited;
    onEdit(value === now[key] ? others : { ...others, [key]: value });
  };
  const shownOf = (key: string): string => edited[key] ?? now[key] ?? "";
  return (
    <div class="fields">
      {fields.map(({ key, label, hint }) => (
        <TextField
          key={key}
          label={label}
          hint={hint}
          value={shownOf(key)}
          onInput={(value) => edit(key, value)}
        />
      ))}
      <Choice
        label="Autostart"
        hint="Whenever the engine starts."
        value={shownOf("autostart")}
        choices={autostart}
        onChange={(value) => edit("autostart", value)}
      />
    </div>
  );
}

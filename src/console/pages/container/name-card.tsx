import { useState } from "preact/hooks";
import { copy, rename } from "../../api/daily.ts";
import { findContainer } from "../../api/live.ts";
import { useShown } from "../../api/use-live.ts";
import { takenNameText } from "../../model/new-name.ts";
import { ActionButton, actionNamed, anytime } from "../../parts/button.tsx";
import { Checkbox, TextField } from "../../parts/field.tsx";
import { linkTo } from "../../route.ts";
import type { CardProps } from "./card-props.ts";

/** Another name for the container, or a second one like it. */
export function NameCard({ target, actions }: CardProps) {
  const shown = useShown();
  const [newName, setNewName] = useState("");
  const [withSnapshots, setWithSnapshots] = useState(false);
  const { guest, name } = target;
  const isTaken = findContainer(shown, guest, newName) !== undefined;
  const noName = newName === "" ? "Give the new name first." : undefined;
  const problem = isTaken ? takenNameText(newName) : undefined;
  const allowed = (action: string) => {
    const refusal = noName ?? problem;
    return refusal === undefined ? actionNamed(actions, action) : anytime(action, refusal);
  };
  const go = async (begun: Promise<void>): Promise<void> => {
    await begun;
    location.hash = linkTo("container", guest, newName);
  };
  return (
    <section class="card">
      <h2>Rename or copy</h2>
      <p>
        A new name keeps everything else: files, snapshots, ports, settings. A copy is a second container,
        stopped, with addresses of its own.
      </p>
      <TextField
        label="New name"
        hint="Letters, digits and hyphens."
        value={newName}
        onInput={setNewName}
        problem={problem}
      />
      <Checkbox label="Copy its snapshots too" isChecked={withSnapshots} onChange={setWithSnapshots} />
      <div class="buttons">
        <ActionButton
          // Whether it must be stopped first is said before a name is asked for.
          action={
            actionNamed(actions, "rename")?.refusal ? actionNamed(actions, "rename") : allowed("rename")
          }
          run={() => go(rename(target, newName))}
        >
          Rename
        </ActionButton>
        <ActionButton action={allowed("copy")} run={() => go(copy(target, newName, withSnapshots))}>
          Copy
        </ActionButton>
      </div>
      <p class="quiet-text">A copy of {name} that runs is like a machine that lost power.</p>
    </section>
  );
}

import { useState } from "preact/hooks";
import { backUp, restore } from "../../api/actions.ts";
import { ActionButton, actionNamed, anytime, Button, useRefusal, useRun } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { TextField } from "../../parts/field.tsx";
import type { CardProps } from "./card-props.ts";

/** Writes a backup, or replaces the container by one. */
export function BackupCard({ target, actions }: CardProps) {
  const { name } = target;
  const [file, setFile] = useState(() => `${name}-${timestamp(new Date())}.tar.gz`);
  const [isAsking, setAsking] = useState(false);
  const refusal = useRefusal(actionNamed(actions, "import"));
  const { runIt, isBusy } = useRun();
  const noFile = file === "" ? "Give the name of the file first." : undefined;
  return (
    <section class="card">
      <h2>Backup</h2>
      <p>Everything in {name} in one file, while it runs too. It replaces a file of the same name.</p>
      <TextField
        label="File"
        hint="In the shared folder of the guest. With .zst at the end it is packed faster."
        value={file}
        onInput={setFile}
      />
      <div class="buttons">
        <ActionButton
          look="main"
          action={noFile === undefined ? actionNamed(actions, "export") : anytime("export", noFile)}
          run={() => backUp(target, file)}
        >
          Back up
        </ActionButton>
        <Button refusal={noFile ?? refusal} isBusy={isBusy} onClick={() => setAsking(true)}>
          Import it
        </Button>
      </div>
      {isAsking && (
        <Dialog
          title={`Replace ${name} by ${file}?`}
          verb="Replace it"
          onClose={() => setAsking(false)}
          onConfirm={() => void runIt(() => restore(target, file))}
        >
          <p>
            Lost for good: all that changed in {name} since that backup was made, and all its snapshots. If
            the backup cannot be imported, {name} stays as it is.
          </p>
        </Dialog>
      )}
    </section>
  );
}

/** Local time, as in 20261126-204930. */
function timestamp(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

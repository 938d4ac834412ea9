import { useState } from "preact/hooks";
import { bytesText } from "../../../base/text.ts";
import { backUp, restore } from "../../api/actions.ts";
import { transfers } from "../../api/transfers.ts";
import { useTransferRefusal, useTransferRun } from "../../api/use-transfer.ts";
import { ActionButton, actionNamed, anytime, Button, useRefusal, useRun } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { TextField } from "../../parts/field.tsx";
import { FileField } from "../../parts/file-field.tsx";
import type { CardProps } from "./card-props.ts";

type Own = Pick<CardProps, "target" | "actions">;

/** Brings a backup to this computer or to the shared folder, or replaces the container by one. */
export function BackupCard({ target, actions }: Own) {
  return (
    <section class="card">
      <h2>Backup</h2>
      <p>Everything in {target.name} in one file, while it runs too.</p>
      <OwnFile target={target} actions={actions} />
      <h3>In the shared folder of the guest</h3>
      <SharedFile target={target} actions={actions} />
    </section>
  );
}

/** A file of this computer. */
function OwnFile({ target, actions }: Own) {
  const { name } = target;
  const [file, setFile] = useState<File>();
  const [isAsking, setAsking] = useState(false);
  const another = useTransferRefusal();
  const exportRefusal = useRefusal(actionNamed(actions, "export"));
  const importRefusal = useRefusal(actionNamed(actions, "import"));
  const run = useTransferRun();
  const noFile = file ? undefined : "Choose a file first.";
  return (
    <>
      <div class="buttons">
        <Button
          look="main"
          refusal={another ?? exportRefusal}
          onClick={() => void run(transfers.download(target, `${name}-${timestamp(new Date())}.tar.gz`))}
        >
          Download
        </Button>
      </div>
      <FileField
        label="Backup of this computer"
        hint={
          file
            ? `${bytesText(file.size)}. It can replace ${name}.`
            : "Choose it, or drop it here, to replace the container by it."
        }
        onChoose={setFile}
      />
      <div class="buttons">
        <Button refusal={noFile ?? another ?? importRefusal} onClick={() => setAsking(true)}>
          Replace by this file
        </Button>
      </div>
      {isAsking && file && (
        <ReplaceDialog
          name={name}
          file={file.name}
          onClose={() => setAsking(false)}
          onConfirm={() => void run(transfers.upload(target, file, true))}
        />
      )}
    </>
  );
}

/** A file that the guest sees. */
function SharedFile({ target, actions }: Own) {
  const { name } = target;
  const [file, setFile] = useState(() => `${name}-${timestamp(new Date())}.tar.gz`);
  const [isAsking, setAsking] = useState(false);
  const refusal = useRefusal(actionNamed(actions, "import"));
  const { runIt, isBusy } = useRun();
  const noFile = file === "" ? "Give the name of the file first." : undefined;
  return (
    <>
      <TextField
        label="File"
        hint="It replaces a file of the same name. With .zst at the end it is packed faster."
        value={file}
        onInput={setFile}
      />
      <div class="buttons">
        <ActionButton
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
        <ReplaceDialog
          name={name}
          file={file}
          onClose={() => setAsking(false)}
          onConfirm={() => void runIt(() => restore(target, file))}
        />
      )}
    </>
  );
}

interface ReplaceDialogProps {
  readonly name: string;
  readonly file: string;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
}

function ReplaceDialog({ name, file, onClose, onConfirm }: ReplaceDialogProps) {
  return (
    <Dialog title={`Replace ${name} by ${file}?`} verb="Replace it" onClose={onClose} onConfirm={onConfirm}>
      <p>
        Lost for good: all that changed in {name} since that backup was made, and all its snapshots. If the
        backup cannot be imported, {name} stays as it is.
      </p>
    </Dialog>
  );
}

/** Local time, as in 20261126-204930. */
function timestamp(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

import { useId, useState } from "preact/hooks";

interface FileFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly onChoose: (file: File | undefined) => void;
}

/** A file of this computer, chosen or dropped. It is not read here. */
export function FileField({ label, hint, onChoose }: FileFieldProps) {
  const id = useId();
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent & { currentTarget: HTMLFieldSetElement }): void => {
    event.preventDefault();
    setOver(false);
    const { dataTransfer, currentTarget } = event;
    const input = currentTarget.querySelector("input");
    if (!input || !dataTransfer || dataTransfer.files.length === 0) return;
    input.files = dataTransfer.files;
    onChoose(input.files[0]);
  };
  return (
    <fieldset
      class={`field file-field ${isOver ? "over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <label for={id}>{label}</label>
      <input
        id={id}
        type="file"
        accept=".tar,.gz,.tgz,.zst,.xz,.bz2,.lz4"
        aria-describedby={`${id}-hint`}
        onChange={({ currentTarget }) => onChoose(currentTarget.files?.[0])}
      />
      <p id={`${id}-hint`} class="quiet-text">
        {hint}
      </p>
    </fieldset>
  );
}

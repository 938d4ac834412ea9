import { useState } from "preact/hooks";
import { bytesText } from "../../base/text.ts";
import { restoreNew, takenText } from "../api/actions.ts";
import { sentenceOf } from "../api/host.ts";
import { transfers } from "../api/transfers.ts";
import { live, useShown } from "../api/use-live.ts";
import { useTransferRefusal, useTransferRun } from "../api/use-transfer.ts";
import { nameInFile } from "../model/name-in-file.ts";
import { malformedText } from "../model/new-name.ts";
import { actionNamed, Button, useRefusal } from "../parts/button.tsx";
import { Choice, TextField } from "../parts/field.tsx";
import { FileField } from "../parts/file-field.tsx";
import { linkTo } from "../route.ts";

const places = [
  { value: "own", text: "this computer" },
  { value: "shared", text: "the shared folder of the guest" },
];

/** A new container from a backup. */
export function RestorePage({ guest }: { readonly guest: string }) {
  const { guests } = useShown();
  const all = guests?.find((each) => each.guest?.name === guest);
  const [place, setPlace] = useState("own");
  const [name, setName] = useState("");
  const [file, setFile] = useState<File>();
  const [path, setPath] = useState("");
  const [failure, setFailure] = useState<string>();
  const another = useTransferRefusal();
  const refusal = useRefusal(actionNamed(all?.actions, "import")) ?? (place === "own" ? another : undefined);
  const run = useTransferRun();
  const choose = (chosen: File | undefined): void => {
    setFile(chosen);
    if (chosen && name === "") setName(nameInFile(chosen.name));
  };
  const submit = async (): Promise<void> => {
    const names = all?.containers.map(({ container }) => container?.name ?? "") ?? [];
    const problem = problemOf(name, names, place === "own" ? file !== undefined : path !== "");
    setFailure(problem);
    if (problem !== undefined || refusal !== undefined) return;
    try {
      if (place === "own") void run(transfers.upload({ guest, name }, file as File, false));
      else await restoreNew({ guest, name }, path);
      live.refreshSoon();
      location.hash = linkTo();
    } catch (thrown) {
      setFailure(sentenceOf(thrown));
    }
  };
  return (
    <section class="narrow">
      <p class="back">
        <a href={linkTo()}>All containers</a>
      </p>
      <h1>Import a backup</h1>
      <p class="lead">A new container on {guest} from a backup.</p>
      <form
        class="card form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Choice label="From" value={place} choices={places} onChange={setPlace} />
        {place === "own" ? (
          <FileField
            label="Backup"
            hint={file ? bytesText(file.size) : "Choose the file, or drop it here."}
            onChoose={choose}
          />
        ) : (
          <TextField label="Backup" hint="The name of the file there." value={path} onInput={setPath} />
        )}
        <TextField label="Name" hint="Of the new container." value={name} onInput={setName} />
        {failure !== undefined && (
          <div class="note error" role="alert">
            <p>{failure}</p>
          </div>
        )}
        <div class="buttons end">
          <Button look="main" refusal={refusal}>
            Import
          </Button>
        </div>
      </form>
    </section>
  );
}

function problemOf(name: string, taken: readonly string[], hasFile: boolean): string | undefined {
  if (name === "" || !hasFile) return "Give the file and a name.";
  if (taken.includes(name)) return takenText(name);
  return malformedText(name);
}

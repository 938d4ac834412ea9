import { useState } from "preact/hooks";
import { restoreNew, takenText } from "../api/actions.ts";
import { sentenceOf } from "../api/host.ts";
import { live, useShown } from "../api/use-live.ts";
import { actionNamed, Button, useRefusal } from "../parts/button.tsx";
import { TextField } from "../parts/field.tsx";
import { linkTo } from "../route.ts";

/** A new container from a backup. */
export function RestorePage({ guest }: { readonly guest: string }) {
  const { guests } = useShown();
  const all = guests?.find((each) => each.guest?.name === guest);
  const names = all?.containers.map(({ container }) => container?.name) ?? [];
  const [name, setName] = useState("");
  const [file, setFile] = useState("");
  const [failure, setFailure] = useState<string>();
  const refusal = useRefusal(actionNamed(all?.actions, "import"));
  const submit = async (): Promise<void> => {
    const wrong = name === "" || file === "" ? "Give the file and a name." : undefined;
    const problem = wrong ?? (names.includes(name) ? takenText(name) : undefined);
    setFailure(problem);
    if (problem !== undefined || refusal !== undefined) return;
    try {
      await restoreNew({ guest, name }, file);
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
      <p class="lead">A new container from a backup in the shared folder of {guest}.</p>
      <form
        class="card form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TextField
          label="Backup"
          hint="The name of the file in the shared folder."
          value={file}
          onInput={setFile}
        />
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

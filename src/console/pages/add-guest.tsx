import { useState } from "preact/hooks";
import { addGuest, type NewGuest } from "../api/guests.ts";
import { sentence, sentenceOf } from "../api/host.ts";
import { live, useSay } from "../api/use-live.ts";
import { anytime, Button, useRefusal } from "../parts/button.tsx";
import { TextField } from "../parts/field.tsx";
import { linkTo } from "../route.ts";

const nothing: NewGuest = { name: "", address: "", token: "", listener: "" };

/** Makes another guest known to the host. */
export function AddGuestPage() {
  const [guest, setGuest] = useState(nothing);
  const [failure, setFailure] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const refusal = useRefusal(anytime("add"));
  const say = useSay();
  const submit = async (): Promise<void> => {
    if (refusal !== undefined || isBusy) return;
    setFailure(undefined);
    if (guest.name === "" || guest.address === "") return setFailure("Give its name and its address.");
    setBusy(true);
    try {
      const away = await addGuest(guest);
      const rest = away === "" ? "" : ` It does not answer yet: ${sentence(away)}`;
      say({ kind: away === "" ? "done" : "error", text: `The host has the guest ${guest.name} now.${rest}` });
      live.refreshSoon();
      location.hash = linkTo("guests");
    } catch (thrown) {
      setFailure(sentenceOf(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="narrow">
      <p class="back">
        <a href={linkTo("guests")}>All guests</a>
      </p>
      <h1>Add a guest</h1>
      <p class="lead">A system with Tremplin’s daemon. The host keeps it over its restarts.</p>
      <form
        class="card form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <GuestFields guest={guest} onChange={setGuest} />
        {failure !== undefined && (
          <div class="note error" role="alert">
            <p>{failure}</p>
          </div>
        )}
        <div class="buttons end">
          <Button look="main" refusal={refusal} isBusy={isBusy}>
            Add
          </Button>
        </div>
      </form>
    </section>
  );
}

interface GuestFieldsProps {
  readonly guest: NewGuest;
  readonly onChange: (guest: NewGuest) => void;
}

function GuestFields({ guest, onChange }: GuestFieldsProps) {
  const field = (key: keyof NewGuest) => ({
    value: guest[key],
    onInput: (value: string) => onChange({ ...guest, [key]: value.trim() }),
  });
  return (
    <>
      <TextField label="Name" hint="Such as lab." {...field("name")} />
      <TextField
        label="Address"
        hint="Of its daemon: vsock:3:8890, tcp:lab.example:8890 or unix:/run/tremplin/lab.sock."
        {...field("address")}
      />
      <TextField
        label="Address for its notices"
        hint="Empty, unless the host is to open one for this guest alone."
        {...field("listener")}
      />
      <TextField
        label="Token"
        hint="Only on TCP without certificates: what it and the host show each other."
        isSecret
        {...field("token")}
      />
    </>
  );
}

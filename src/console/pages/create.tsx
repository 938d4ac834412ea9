import { useState } from "preact/hooks";
import { create, type Source } from "../api/create.ts";
import { sentence, sentenceOf } from "../api/host.ts";
import { live, useShown } from "../api/use-live.ts";
import { malformedText, takenNameText } from "../model/new-name.ts";
import { Bar } from "../parts/bar.tsx";
import { actionNamed, Button, useRefusal } from "../parts/button.tsx";
import { Choice, TextField } from "../parts/field.tsx";
import { linkTo } from "../route.ts";

const releases = [
  { value: "trixie", text: "Debian 13 (trixie)" },
  { value: "bookworm", text: "Debian 12 (bookworm)" },
  { value: "bullseye", text: "Debian 11 (bullseye)" },
];

const sources = [
  { value: "debian", text: "Debian’s packages" },
  { value: "server", text: "An image server" },
];

interface Step {
  readonly message: string;
  readonly percent: number;
}

/** What the form says so far. */
interface Wanted {
  readonly name: string;
  readonly kind: string;
  readonly release: string;
  readonly url: string;
  readonly alias: string;
}

const nothing: Wanted = { name: "", kind: "debian", release: releases[0]?.value ?? "", url: "", alias: "" };

/** A new container of a Debian release, or of an image of a server. */
export function CreatePage({ guest }: { readonly guest: string }) {
  const { guests } = useShown();
  const all = guests?.find((each) => each.guest?.name === guest);
  const [wanted, setWanted] = useState(nothing);
  const [problems, setProblems] = useState<Problems>({});
  const { step, failure, begin, stop } = useCreation(guest);
  const refusal = useRefusal(actionNamed(all?.actions, "create"));
  const submit = (): void => {
    const taken = all?.containers.map(({ container }) => container?.name ?? "") ?? [];
    const wrong = problemsOf(wanted, taken);
    setProblems(wrong);
    const isGood = Object.values(wrong).every((each) => each === undefined);
    if (isGood && refusal === undefined && !step) void begin(wanted.name, sourceOf(wanted));
  };
  return (
    <section class="narrow">
      <p class="back">
        <a href={linkTo()}>All containers</a>
      </p>
      <h1>New container</h1>
      <p class="lead">
        A system of its own on {guest}. Or <a href={linkTo("restore", guest)}>import a backup</a>.
      </p>
      <form
        class="card form"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <CreateFields wanted={wanted} problems={problems} onChange={setWanted} />
        {failure !== undefined && (
          <div class="note error" role="alert">
            <p>{failure} You can try again.</p>
          </div>
        )}
        {step ? (
          <ImageProgress step={step} onCancel={stop} />
        ) : (
          <div class="buttons end">
            <Button look="main" refusal={refusal}>
              Create
            </Button>
          </div>
        )}
      </form>
    </section>
  );
}

interface CreateFieldsProps {
  readonly wanted: Wanted;
  readonly problems: Problems;
  readonly onChange: (wanted: Wanted) => void;
}

function CreateFields({ wanted, problems, onChange }: CreateFieldsProps) {
  const set = (key: keyof Wanted) => (value: string) => onChange({ ...wanted, [key]: value.trim() });
  return (
    <>
      <TextField
        label="Name"
        hint="Letters, digits and hyphens, such as penguin."
        value={wanted.name}
        onInput={set("name")}
        problem={problems.name}
      />
      <Choice label="From" value={wanted.kind} choices={sources} onChange={set("kind")} />
      {wanted.kind === "debian" ? (
        <Choice
          label="System"
          hint="The newest is at the top."
          value={wanted.release}
          choices={releases}
          onChange={set("release")}
        />
      ) : (
        <>
          <TextField
            label="Address of the server"
            hint="A simplestreams server, such as https://images.linuxcontainers.org."
            value={wanted.url}
            onInput={set("url")}
            problem={problems.url}
          />
          <TextField
            label="Image"
            hint="Its alias there, such as debian/12 or ubuntu/24.04."
            value={wanted.alias}
            onInput={set("alias")}
            problem={problems.alias}
          />
        </>
      )}
    </>
  );
}

interface ImageProgressProps {
  readonly step: Step;
  readonly onCancel: () => void;
}

function ImageProgress({ step, onCancel }: ImageProgressProps) {
  return (
    <div>
      <Bar label="Building the image" percent={step.percent} />
      <p class="quiet-text">{sentence(step.message)} Keep this page open until the image is built.</p>
      <div class="buttons end">
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </div>
  );
}

function sourceOf({ kind, release, url, alias }: Wanted): Source {
  return kind === "server" ? { kind, url, alias } : { kind: "debian", release };
}

type Problems = Readonly<Partial<Record<"name" | "url" | "alias", string | undefined>>>;

/** What is wrong before anything is asked. The guest decides in the end. */
function problemsOf({ name, kind, url, alias }: Wanted, taken: readonly string[]): Problems {
  const problem = problemOf(name, taken);
  if (kind !== "server") return { name: problem };
  const isUrl = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  return {
    name: problem,
    url: isUrl ? undefined : "Give an address that begins with https:// or http://.",
    alias: alias === "" ? "Give the alias of the image." : undefined,
  };
}

/** What is wrong with a name; undefined: nothing. The guest decides in the end. */
function problemOf(name: string, taken: readonly string[]): string | undefined {
  if (name === "") return "Give it a name.";
  if (taken.includes(name)) return takenNameText(name);
  return malformedText(name);
}

/** Builds the image, then creates the container, whose progress the overview shows. */
function useCreation(guest: string) {
  const [step, setStep] = useState<Step>();
  const [failure, setFailure] = useState<string>();
  const [attempt, setAttempt] = useState<AbortController>();
  const begin = async (name: string, source: Source): Promise<void> => {
    const controller = new AbortController();
    setAttempt(controller);
    setFailure(undefined);
    setStep({ message: "Asking the guest", percent: 0 });
    const show = (message: string, percent: number): void => setStep({ message, percent });
    try {
      await create({ guest, name }, source, show, controller.signal);
      live.refreshSoon();
      location.hash = linkTo();
    } catch (thrown) {
      if (!controller.signal.aborted) setFailure(sentenceOf(thrown));
    } finally {
      setStep(undefined);
    }
  };
  return { step, failure, begin, stop: () => attempt?.abort() };
}

import { useState } from "preact/hooks";
import { create } from "../api/actions.ts";
import { sentenceOf } from "../api/host.ts";
import { live, useShown } from "../api/use-live.ts";
import { Bar } from "../parts/bar.tsx";
import { actionNamed, Button, useRefusal } from "../parts/button.tsx";
import { Choice, TextField } from "../parts/field.tsx";
import { linkTo } from "../route.ts";

const releases = [
  { value: "trixie", text: "Debian 13 (trixie)" },
  { value: "bookworm", text: "Debian 12 (bookworm)" },
  { value: "bullseye", text: "Debian 11 (bullseye)" },
];

interface Step {
  readonly message: string;
  readonly percent: number;
}

/** A new container of a Debian release. */
export function CreatePage({ guest }: { readonly guest: string }) {
  const { guests } = useShown();
  const all = guests?.find((each) => each.guest?.name === guest);
  const [name, setName] = useState("");
  const [release, setRelease] = useState(releases[0]?.value ?? "");
  const [problem, setProblem] = useState<string>();
  const { step, failure, begin, stop } = useCreation(guest);
  const refusal = useRefusal(actionNamed(all?.actions, "create"));
  const submit = (): void => {
    const wrong = problemOf(name, all?.containers.map(({ container }) => container?.name ?? "") ?? []);
    setProblem(wrong);
    if (wrong === undefined && refusal === undefined) void begin(name, release);
  };
  return (
    <section class="narrow">
      <p class="back">
        <a href={linkTo()}>All containers</a>
      </p>
      <h1>New container</h1>
      <p class="lead">A Debian system of its own, built from Debian’s packages, on {guest}.</p>
      <form
        class="card form"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <TextField
          label="Name"
          hint="Letters, digits and hyphens, such as penguin."
          value={name}
          onInput={setName}
          problem={problem}
        />
        <Choice
          label="System"
          hint="The newest is at the top."
          value={release}
          choices={releases}
          onChange={setRelease}
        />
        {failure !== undefined && (
          <div class="note error" role="alert">
            <p>{failure} You can try again.</p>
          </div>
        )}
        {step ? (
          <div>
            <Bar label="Building the image" percent={step.percent} />
            <p class="quiet-text">{step.message}. Keep this page open until the image is built.</p>
            <div class="buttons end">
              <Button onClick={stop}>Cancel</Button>
            </div>
          </div>
        ) : (
          <div class="buttons end">
            <Button look="main" refusal={refusal} onClick={submit}>
              Create
            </Button>
          </div>
        )}
      </form>
    </section>
  );
}

/** What is wrong with a name; undefined: nothing. The guest decides in the end. */
function problemOf(name: string, taken: readonly string[]): string | undefined {
  if (name === "") return "Give it a name.";
  if (taken.includes(name)) return `There is a container ${name} already; choose another name.`;
  if (!/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(name)) {
    return "A name has up to 63 letters, digits and hyphens; it begins with a letter and does not end with a hyphen.";
  }
  return undefined;
}

/** Builds the image, then creates the container, whose progress the overview shows. */
function useCreation(guest: string) {
  const [step, setStep] = useState<Step>();
  const [failure, setFailure] = useState<string>();
  const [attempt, setAttempt] = useState<AbortController>();
  const begin = async (name: string, release: string): Promise<void> => {
    const controller = new AbortController();
    setAttempt(controller);
    setFailure(undefined);
    setStep({ message: "Asking the guest", percent: 0 });
    const show = (message: string, percent: number): void => setStep({ message, percent });
    try {
      await create({ guest, name }, release, show, controller.signal);
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

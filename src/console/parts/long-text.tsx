import type { ComponentChildren } from "preact";
import { plainLines } from "../../base/text.ts";
import type { Answer } from "../api/use-answer.ts";
import { useSay } from "../api/use-live.ts";
import { Answered } from "./answered.tsx";
import { ActionButton, anytime, Button } from "./button.tsx";

interface LongTextProps {
  readonly answer: Answer<string>;
  readonly asking: string;
  /** Said where the text is empty. */
  readonly nothing: string;
  /** The name for screen readers. */
  readonly label: string;
  /** Of the file that it is saved as. */
  readonly fileName: string;
  /** How it is shown; by default as it is. */
  readonly show?: (text: string) => ComponentChildren;
}

/** A long text of a guest or container without what would change how it is shown, to read, to copy and to save. */
export function LongText({ answer, asking, nothing, label, fileName, show }: LongTextProps) {
  const text = answer.value === undefined ? "" : plainLines(answer.value.trimEnd());
  const say = useSay();
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    say({ kind: "done", text: "It is in the clipboard." });
  };
  const noText = text === "" ? "There is no text yet." : undefined;
  return (
    <>
      <div class="buttons">
        <ActionButton look="main" action={anytime("copy", noText)} run={copy}>
          Copy
        </ActionButton>
        <Button refusal={noText} onClick={() => save(text, fileName)}>
          Download
        </Button>
        <Button isBusy={answer.isAsking} onClick={answer.again}>
          Ask again
        </Button>
      </div>
      <Answered answer={answer} asking={asking}>
        {() =>
          text === "" ? (
            <p class="quiet-text">{nothing}</p>
          ) : (
            (show?.(text) ?? <Log label={label} text={text} />)
          )
        }
      </Answered>
    </>
  );
}

/** A text that scrolls in a frame of its own. */
export function Log({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard too
    <section class="log whole" tabIndex={0} aria-label={label}>
      <pre>{text}</pre>
    </section>
  );
}

function save(text: string, fileName: string): void {
  const url = URL.createObjectURL(new Blob([text, "\n"], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

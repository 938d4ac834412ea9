import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ActionInfo } from "../../contract/tremplin/v1/host_pb.js";
import { Button, useRefusal, useRun } from "./button.tsx";
import { Dialog } from "./dialog.tsx";

interface AskFirstProps {
  /** What the button says. */
  readonly text: string;
  /** The name for screen readers, where the text alone does not say which thing it is for. */
  readonly label?: string | undefined;
  readonly look?: "plain" | "danger" | "quiet";
  readonly action: ActionInfo | undefined;
  /** The question, what will be lost, and what the button says that does it. */
  readonly title: string;
  readonly children: ComponentChildren;
  readonly verb: string;
  readonly run: () => Promise<unknown>;
}

/** A button for what loses something: it says what, and asks. */
export function AskFirst({ text, label, look, action, title, children, verb, run }: AskFirstProps) {
  const [isAsking, setAsking] = useState(false);
  const refusal = useRefusal(action);
  const { runIt, isBusy } = useRun();
  return (
    <>
      <Button
        {...(look && { look })}
        label={label}
        refusal={refusal}
        isBusy={isBusy}
        onClick={() => setAsking(true)}
      >
        {text}
      </Button>
      {isAsking && (
        <Dialog title={title} verb={verb} onClose={() => setAsking(false)} onConfirm={() => void runIt(run)}>
          {children}
        </Dialog>
      )}
    </>
  );
}

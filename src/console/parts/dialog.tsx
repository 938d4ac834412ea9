import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "./button.tsx";

interface DialogProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** What the button says that does it. */
  readonly verb: string;
  readonly look?: "main" | "danger";
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks before something that cannot be undone. Escape and the first button leave everything as it is. */
export function Dialog({ title, children, verb, look = "danger", onConfirm, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
      <div class="buttons end">
        <Button onClick={() => dialog.current?.close()}>Cancel</Button>
        <Button
          look={look}
          onClick={() => {
            dialog.current?.close();
            onConfirm();
          }}
        >
          {verb}
        </Button>
      </div>
    </dialog>
  );
}

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ActionInfo } from "../../contract/tremplin/v1/host_pb.js";
import { sentence, sentenceOf } from "../api/host.ts";
import { live, useSay, useShown } from "../api/use-live.ts";

interface ButtonProps {
  readonly children: ComponentChildren;
  /** Without one it sends its form, as the key Enter does in each of the form's fields. */
  readonly onClick?: () => void;
  /** Why it cannot be used now. The button stays in the order of the keyboard, so that everybody can read it. */
  readonly refusal?: string | undefined;
  readonly look?: "main" | "plain" | "danger" | "quiet";
  /** The name for screen readers, where the text alone does not say which thing it is for. */
  readonly label?: string | undefined;
  readonly isBusy?: boolean;
}

/** A button that stays in the order of the keyboard where it cannot be used. */
export function Button({ children, onClick, refusal, look = "plain", label, isBusy = false }: ButtonProps) {
  const id = useId();
  const button = useKeptFocus();
  const isDisabled = refusal !== undefined || isBusy;
  return (
    <>
      <button
        ref={button}
        type={onClick ? "button" : "submit"}
        class={`button ${look}`}
        aria-disabled={isDisabled}
        aria-describedby={refusal === undefined ? undefined : id}
        aria-label={label}
        title={refusal}
        onClick={(event) => {
          if (isDisabled) event.preventDefault();
          else onClick?.();
        }}
      >
        {children}
      </button>
      {refusal !== undefined && (
        <span id={id} class="for-readers">
          {refusal}
        </span>
      )}
    </>
  );
}

/** A button that goes away while it has the focus leaves that to its card: the keyboard goes on there, not at the top. */
function useKeptFocus() {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const { current } = button;
    return () => {
      if (!current || document.activeElement !== current) return;
      const places = [current.closest<HTMLElement>(".card"), document.querySelector("main")];
      requestAnimationFrame(() => {
        if (document.activeElement !== document.body) return;
        const place = places.find((each) => each?.isConnected);
        if (!place) return;
        place.tabIndex = -1;
        place.focus();
      });
    };
  }, []);
  return button;
}

interface ActionButtonProps extends Omit<ButtonProps, "refusal" | "isBusy" | "onClick"> {
  /** What the host says of it. Undefined: the host does not know this action. */
  readonly action: ActionInfo | undefined;
  readonly run: () => Promise<unknown> | undefined;
}

/** A button for what the host says is legal now. What it runs begins something, whose progress is shown elsewhere. */
export function ActionButton({ action, run, ...rest }: ActionButtonProps) {
  const { runIt, isBusy } = useRun();
  return <Button {...rest} isBusy={isBusy} refusal={useRefusal(action)} onClick={() => runIt(run)} />;
}

/** Why an action cannot be used: by the host's answer, or because nobody knows while the host is away. */
export function useRefusal(action: ActionInfo | undefined): string | undefined {
  const { connection } = useShown();
  if (connection.kind !== "live") return "The host does not answer; this can be used again when it does.";
  if (!action) return "This host does not offer it; a newer version may.";
  return action.refusal === "" ? undefined : sentence(action.refusal);
}

/** Runs what a person asked for, once at a time, and says why it failed. */
export function useRun() {
  const [isBusy, setBusy] = useState(false);
  const say = useSay();
  const runIt = async (run: () => Promise<unknown> | undefined): Promise<void> => {
    setBusy(true);
    try {
      await run();
    } catch (thrown) {
      say({ kind: "error", text: sentenceOf(thrown) });
    } finally {
      setBusy(false);
      live.refreshSoon();
    }
  };
  return { isBusy, runIt };
}

/** For what the host has no rule: it can always be tried, unless there is a reason against it. */
export function anytime(action: string, refusal = ""): ActionInfo {
  return { $typeName: "tremplin.v1.ActionInfo", action, refusal };
}

export function actionNamed(
  actions: readonly ActionInfo[] | undefined,
  name: string,
): ActionInfo | undefined {
  return actions?.find(({ action }) => action === name);
}

import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { plainText } from "../../base/text.ts";
import type { Target } from "../api/actions.ts";
import { findContainer } from "../api/live.ts";
import { useShown } from "../api/use-live.ts";
import { actionNamed, Button, useRefusal } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Checkbox } from "../parts/field.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { linkTo } from "../route.ts";
import type { Shell } from "../terminal/shell.ts";
import type { Shells } from "../terminal/shells.ts";

/** The shells in a container. They go on while other pages are shown. */
export function TerminalPage(target: Target) {
  const { guest, name } = target;
  const info = findContainer(useShown(), guest, name);
  const loaded = useShells();
  return (
    <section class="page">
      <p class="back">
        <a href={linkTo("container", guest, name)}>{name}</a>
      </p>
      <div class="title">
        <h1>Terminal of {name}</h1>
        {info && <StateBadge info={info} />}
      </div>
      {loaded.kind === "loading" && <p class="quiet-text">Opening it…</p>}
      {loaded.kind === "failed" && (
        <div class="note warning">
          <p>The terminal could not be loaded from the host. Open this page again when the host answers.</p>
          <Button onClick={() => location.reload()}>Open it again</Button>
        </div>
      )}
      {loaded.kind === "loaded" && <ShellList target={target} shells={loaded.shells} />}
    </section>
  );
}

type Loaded = { readonly kind: "loading" | "failed" } | { readonly kind: "loaded"; readonly shells: Shells };

/** The emulator is large, and only this page needs it. */
function useShells(): Loaded {
  const [loaded, setLoaded] = useState<Loaded>({ kind: "loading" });
  useEffect(() => {
    let stop = (): void => undefined;
    let isCurrent = true;
    const follow = (shells: Shells): void => {
      if (!isCurrent) return;
      const show = (): void => setLoaded({ kind: "loaded", shells });
      show();
      stop = shells.subscribe(show);
    };
    import("../terminal/shells.ts")
      .then(({ shells }) => follow(shells))
      .catch(() => setLoaded({ kind: "failed" }));
    return () => {
      isCurrent = false;
      stop();
    };
  }, []);
  return loaded;
}

interface ShellListProps {
  readonly target: Target;
  readonly shells: Shells;
}

function ShellList({ target, shells }: ShellListProps) {
  const info = findContainer(useShown(), target.guest, target.name);
  const refusal = useRefusal(actionNamed(info?.actions, "shell"));
  const all = shells.in(target);
  const [chosen, choose] = useState<Shell>();
  const [link, setLink] = useState<string>();
  const controls = useRef<HTMLDivElement>(null);
  const shown = chosen && all.includes(chosen) ? chosen : all.at(-1);
  const add = (): void => choose(shells.add(target));
  const focusControls = (): void => controls.current?.querySelector("button")?.focus();
  shells.events = { onLeave: focusControls, onLink: setLink };
  const hasBegun = useRef(all.length > 0);
  useEffect(() => {
    if (hasBegun.current || refusal !== undefined) return;
    hasBegun.current = true;
    add();
  }, [refusal]);
  return (
    <>
      <div class="buttons" ref={controls}>
        <Button refusal={refusal} onClick={add}>
          New shell
        </Button>
        {all.length > 1 &&
          all.map((each) => (
            <button
              key={each.number}
              type="button"
              class="button quiet"
              aria-pressed={each === shown}
              onClick={() => choose(each)}
            >
              Shell {each.number}
            </button>
          ))}
      </div>
      {shown ? (
        <ShellView
          key={shown.number}
          shell={shown}
          refusal={refusal}
          onClose={() => {
            shells.close(shown);
            focusControls();
          }}
        />
      ) : (
        <div class="empty">
          <h2>No shell is open</h2>
          <p>{refusal ?? "New shell opens one, as the primary user, or as root where there is none."}</p>
        </div>
      )}
      <Checkbox
        label="Have a screen reader read what programs write"
        isChecked={shells.isReadOut}
        onChange={(isChecked) => {
          shells.isReadOut = isChecked;
        }}
      />
      {link !== undefined && <LinkDialog name={target.name} url={link} onClose={() => setLink(undefined)} />}
    </>
  );
}

interface ShellViewProps {
  readonly shell: Shell;
  /** Why no new shell can be started. */
  readonly refusal: string | undefined;
  readonly onClose: () => void;
}

function ShellView({ shell, refusal, onClose }: ShellViewProps) {
  const place = useRef<HTMLDivElement>(null);
  const hint = useId();
  const { emulator, number, target, state } = shell;
  useLayoutEffect(() => {
    if (!place.current) return;
    emulator.showIn(place.current, `Shell ${number} of ${target.name}`, hint);
    if (!shell.isStarted) shell.start();
    const resized = new ResizeObserver(() => emulator.fit());
    resized.observe(place.current);
    // The frame of the pages has moved the focus to the new page before.
    const timer = setTimeout(() => emulator.focus());
    return () => {
      clearTimeout(timer);
      resized.disconnect();
      emulator.element.remove();
    };
  }, [shell]);
  const look = { starting: "connecting", open: "live", lost: "lost", over: "connecting" }[state.kind];
  return (
    <>
      <div class="terminal-place" ref={place} />
      <div class="terminal-foot">
        <p class={`connection ${look}`} role="status">
          {state.text}
        </p>
        <div class="buttons">
          {state.kind === "over" && (
            <Button
              look="main"
              refusal={refusal}
              onClick={() => {
                shell.start();
                emulator.focus();
              }}
            >
              Start a new shell
            </Button>
          )}
          <Button onClick={onClose}>{state.kind === "over" ? "Close" : "End this shell"}</Button>
        </div>
      </div>
      <p id={hint} class="quiet-text">
        All keys go to the shell, Tab too. Ctrl+F6 or Ctrl+Shift+Esc leaves it, Ctrl+Shift+C copies what is
        selected, Ctrl+Shift+V pastes.
      </p>
    </>
  );
}

interface LinkDialogProps {
  readonly name: string;
  readonly url: string;
  readonly onClose: () => void;
}

function LinkDialog({ name, url, onClose }: LinkDialogProps) {
  return (
    <Dialog
      title="Open this link?"
      verb="Open it"
      look="main"
      onClose={onClose}
      onConfirm={() => window.open(url, "_blank", "noopener,noreferrer")}
    >
      <p>A program in {name} wrote it, and its text may have promised another place. It leads to:</p>
      <p>
        <code>{plainText(url)}</code>
      </p>
    </Dialog>
  );
}

import type { Target } from "../api/actions.ts";
import { pageKey } from "../api/page-key.ts";
import { Shell } from "./shell.ts";

const READ_OUT = "tremplin-read-out-terminals";

/** What the page does for all terminals. */
export interface ShellEvents {
  readonly onLeave: () => void;
  readonly onLink: (url: string) => void;
}

/** The terminals of this tab. They go on while the person looks at other pages. */
class Shells {
  /** Set by the page that shows them. */
  events: ShellEvents = { onLeave: () => undefined, onLink: () => undefined };
  #all: readonly Shell[] = [];
  readonly #listeners = new Set<() => void>();

  constructor() {
    addEventListener("beforeunload", (event) => {
      const isAnyOpen = this.#all.some(({ state }) => state.kind === "open");
      // Ctrl+W is for the shell, and for the browser if the person has left it.
      if (isAnyOpen && pageKey() !== "") event.preventDefault();
    });
  }

  /** Those in a container. */
  in(target: Target): readonly Shell[] {
    return this.#all.filter((each) => isSame(each.target, target));
  }

  /** A terminal whose shell starts when it is shown. */
  add(target: Target): Shell {
    const number = Math.max(0, ...this.in(target).map((each) => each.number)) + 1;
    const events = {
      onLeave: () => this.events.onLeave(),
      onLink: (url: string) => this.events.onLink(url),
    };
    const shell = new Shell(target, number, events, () => this.#changed());
    shell.emulator.setReadOut(this.isReadOut);
    this.#all = [...this.#all, shell];
    this.#changed();
    return shell;
  }

  close(shell: Shell): void {
    shell.close();
    this.#all = this.#all.filter((each) => each !== shell);
    this.#changed();
  }

  /** Whether a screen reader reads what programs write. */
  get isReadOut(): boolean {
    return localStorage.getItem(READ_OUT) === "yes";
  }

  set isReadOut(isReadOut: boolean) {
    localStorage.setItem(READ_OUT, isReadOut ? "yes" : "no");
    for (const { emulator } of this.#all) emulator.setReadOut(isReadOut);
    this.#changed();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function isSame(one: Target, other: Target): boolean {
  return one.guest === other.guest && one.name === other.name;
}

export const shells = new Shells();
export type { Shells };

import type { Target } from "../api/actions.ts";
import { sentence } from "../api/host.ts";
import { Emulator, type EmulatorEvents } from "./emulator.ts";
import { type Ending, ShellLink } from "./shell-link.ts";

const RETRY_MS = [500, 1_000, 2_000, 3_000];

export type ShellState =
  | { readonly kind: "starting" | "open"; readonly text: string }
  /** A new one starts as soon as that is possible. */
  | { readonly kind: "lost"; readonly text: string }
  | { readonly kind: "over"; readonly text: string };

/** A terminal with a shell in a container, and after its end, or a lost connection, with the next one. */
export class Shell {
  readonly target: Target;
  readonly number: number;
  readonly emulator: Emulator;
  readonly #onChange: () => void;
  #state: ShellState = { kind: "starting", text: "Starting a shell…" };
  #link: ShellLink | undefined;
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Whether there is something above of a shell that has ended. */
  #hasShown = false;
  /** Whether one has ended because the connection with it broke. */
  #hasLost = false;

  /** `number`: what it is called among the others in that container. */
  constructor(
    target: Target,
    number: number,
    events: Pick<EmulatorEvents, "onLeave" | "onLink">,
    onChange: () => void,
  ) {
    this.target = target;
    this.number = number;
    this.#onChange = onChange;
    this.emulator = new Emulator({
      onTyped: (text) => this.#link?.type(text),
      onSize: (size) => this.#link?.resize(size),
      ...events,
    });
  }

  get state(): ShellState {
    return this.#state;
  }

  get isStarted(): boolean {
    return this.#link !== undefined;
  }

  /** Starts a shell, the first or a new one. */
  start(): void {
    clearTimeout(this.#retry);
    if (this.#hasShown) this.emulator.separate();
    this.#hasShown = false;
    this.#link?.close();
    this.emulator.setAlive(true);
    this.#link = new ShellLink(this.target, this.emulator.size, {
      onOutput: (bytes, onShown) => {
        if (this.#state.kind !== "open") this.#opened();
        this.emulator.write(bytes, onShown);
      },
      onEnd: (ending) => this.#ended(ending),
    });
    if (!this.#hasLost) this.#set({ kind: "starting", text: "Starting a shell…" });
  }

  /** Ends the shell and removes the terminal. */
  close(): void {
    clearTimeout(this.#retry);
    this.#link?.close();
    this.emulator.dispose();
  }

  #opened(): void {
    const text = this.#hasLost
      ? "Connected again. This is a new shell; the one before ended with the connection."
      : "Connected.";
    this.#hasLost = false;
    this.#hasShown = true;
    this.#failures = 0;
    this.#set({ kind: "open", text });
  }

  #ended(ending: Ending): void {
    this.emulator.setAlive(false);
    if (ending.kind !== "lost") {
      this.#hasLost = false;
      const text = ending.kind === "exited" ? exitText(ending.code) : sentence(ending.sentence);
      this.#set({ kind: "over", text });
      return;
    }
    const wasOpen = this.#state.kind === "open";
    this.#hasLost ||= wasOpen;
    const what = this.#hasLost ? " The shell ended with it, and a new one starts" : " The shell starts";
    this.#set({ kind: "lost", text: `${sentence(ending.sentence)}${what} as soon as that is possible.` });
    const delay = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)] as number;
    this.#retry = setTimeout(() => this.start(), delay);
  }

  #set(state: ShellState): void {
    this.#state = state;
    this.#onChange();
  }
}

function exitText(code: number): string {
  return `The shell ended with exit code ${code}.`;
}

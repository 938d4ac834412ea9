import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { PAGE_KEY } from "../../base/page-key.ts";
import {
  type HostSays,
  MAX_INPUT_BYTES,
  type PageSays,
  SendWindow,
  SIGN_OF_LIFE_MS,
  TERMINAL_PATH,
} from "../../base/terminal-link.ts";
import { ShellInputSchema, ShellOutputSchema } from "../../contract/tremplin/v1/guest_pb.js";
import type { Target } from "../api/actions.ts";
import { pageKey } from "../api/page-key.ts";
import type { Size } from "./emulator.ts";

/** What is typed beyond this, while the program reads nothing, is lost, as with every terminal. Bytes. */
const MAX_UNSENT_BYTES = 1024 * 1024;

/** Without a sign of life for so many times it has none. They do not pass while the computer sleeps. */
const MAX_MISSED_SIGNS = 3;

/** How a shell ended. */
export type Ending =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "failed"; readonly sentence: string }
  /** The connection with it broke, or the guest could not be reached. */
  | { readonly kind: "lost"; readonly sentence: string };

export interface LinkEvents {
  /** Must call `onShown` when there is room for more. */
  readonly onOutput: (bytes: Uint8Array, onShown: () => void) => void;
  readonly onEnd: (ending: Ending) => void;
}

type Input = MessageInitShape<typeof ShellInputSchema>["input"];

/** A shell in a container, from its start to its end. */
export class ShellLink {
  readonly #events: LinkEvents;
  readonly #window = new SendWindow();
  readonly #unsent: Uint8Array[] = [];
  #unsentBytes = 0;
  #newSize: Size | undefined;
  #socket: WebSocket | undefined;
  #isOver = false;
  #missedSigns = 0;
  readonly #watch = setInterval(() => this.#missSign(), SIGN_OF_LIFE_MS);

  constructor(target: Target, size: Size, events: LinkEvents) {
    this.#events = events;
    void this.#open(target, size).catch(() => this.#end(hostAway));
  }

  /** Sends what was typed. */
  type(text: string): void {
    if (this.#isOver || this.#unsentBytes > MAX_UNSENT_BYTES) return;
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length; at += MAX_PART_BYTES)
      this.#unsent.push(bytes.subarray(at, at + MAX_PART_BYTES));
    this.#unsentBytes += bytes.length;
    this.#sendAll();
  }

  resize(size: Size): void {
    this.#newSize = size;
    this.#sendAll();
  }

  /** Ends the shell. */
  close(): void {
    this.#isOver = true;
    clearInterval(this.#watch);
    this.#socket?.close();
  }

  async #open(target: Target, size: Size): Promise<void> {
    const answer = await fetch("/tickets", { method: "POST", headers: { [PAGE_KEY]: pageKey() } });
    const { ticket, message = "" } = (await answer.json()) as { ticket?: string; message?: string };
    if (ticket === undefined) return this.#end({ kind: "failed", sentence: message });
    if (this.#isOver) return;
    const query = new URLSearchParams({ guest: target.guest, ticket });
    const socket = new WebSocket(`${TERMINAL_PATH}?${query}`);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      const start = { containerName: target.name, size, term: "xterm-256color", asPrimaryUser: true };
      this.#send({ case: "start", value: start });
      this.#sendAll();
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => this.#receive(data);
    socket.onclose = () => this.#end(connectionLost);
  }

  #receive(data: string | ArrayBuffer): void {
    this.#missedSigns = 0;
    if (typeof data === "string") this.#obey(JSON.parse(data) as HostSays);
    else this.#show(new Uint8Array(data));
  }

  #obey(said: HostSays): void {
    if ("failure" in said) {
      this.#end({ kind: said.isAway ? "lost" : "failed", sentence: said.failure });
      return;
    }
    this.#window.taken(said.taken);
    this.#sendAll();
  }

  #show(message: Uint8Array): void {
    const { output } = fromBinary(ShellOutputSchema, message);
    if (output.case === "exitCode") this.#end({ kind: "exited", code: output.value });
    else this.#events.onOutput(output.value ?? new Uint8Array(), () => this.#say({ taken: message.length }));
  }

  #sendAll(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    if (this.#newSize && this.#window.isOpen) {
      this.#send({ case: "size", value: this.#newSize });
      this.#newSize = undefined;
    }
    while (this.#window.isOpen) {
      const value = this.#unsent.shift() as Uint8Array<ArrayBuffer> | undefined;
      if (!value) return;
      this.#unsentBytes -= value.length;
      this.#send({ case: "data", value });
    }
  }

  #send(input: NonNullable<Input>): void {
    const message = toBinary(ShellInputSchema, create(ShellInputSchema, { input }));
    this.#window.sent(message.length);
    this.#socket?.send(message);
  }

  #say(said: PageSays): void {
    // Nobody listens any more to one that is closing.
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(said));
  }

  #missSign(): void {
    if (++this.#missedSigns <= MAX_MISSED_SIGNS) return;
    this.#end(connectionLost);
    this.#socket?.close();
  }

  #end(ending: Ending): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#watch);
    this.#events.onEnd(ending);
  }
}

/** What a message has beside the data is small. */
const MAX_PART_BYTES = MAX_INPUT_BYTES - 64;

const hostAway: Ending = { kind: "lost", sentence: "the host does not answer" };
const connectionLost: Ending = { kind: "lost", sentence: "the connection was lost" };

/**
 * How a page of the console and the host speak about one terminal, over a WebSocket. Binary messages are ShellInput from
 * the page and ShellOutput from the host (proto/tremplin/v1/guest.proto), text messages are those below, as JSON. A side
 * sends no more bytes than the other one has room for, so that neither a program that floods the terminal nor one that
 * reads nothing makes anybody keep more.
 */

/** The path of the WebSocket. Its query has the `guest`, and the `ticket` that opens it. */
export const TERMINAL_PATH = "/terminal";

/** What the page says beside its inputs. `taken`: bytes of binary messages that it has room for again. */
export interface PageSays {
  readonly taken: number;
}

/** The host says the same, also without bytes, as a sign of life; and at the end why there is no exit code. */
export type HostSays = PageSays | Failure;

export interface Failure {
  /** A sentence that says what to do. */
  readonly failure: string;
  /** Whether the guest could not be reached, which may be over soon. */
  readonly isAway: boolean;
}

/** Bytes of binary messages that may be sent before they are taken. */
export const WINDOW_BYTES = 256 * 1024;

/** The most of one binary message of the page. Bytes. */
export const MAX_INPUT_BYTES = 16 * 1024;

/** How often the host gives a sign of life. */
export const SIGN_OF_LIFE_MS = 10_000;

/** What one side has sent and the other one has not taken yet. */
export class SendWindow {
  #bytes = 0;
  #opened = Promise.withResolvers<void>();

  get isOpen(): boolean {
    return this.#bytes < WINDOW_BYTES;
  }

  sent(bytes: number): void {
    this.#bytes += bytes;
  }

  /** False: the other side has taken more than there was. */
  taken(bytes: number): boolean {
    if (!(bytes >= 0 && bytes <= this.#bytes)) return false;
    this.#bytes -= bytes;
    if (!this.isOpen) return true;
    this.#opened.resolve();
    this.#opened = Promise.withResolvers<void>();
    return true;
  }

  /** Resolves when more may be sent. */
  async room(): Promise<void> {
    while (!this.isOpen) await this.#opened.promise;
  }
}

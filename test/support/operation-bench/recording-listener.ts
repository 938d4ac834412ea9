import type { Outcome as Delivery } from "../../../src/daemon/notices/delivery.ts";
import type { Notice } from "../../../src/daemon/notices/notice.ts";

/** A message of the listener: the fields that most have, and others by name. */
export interface ReceivedMessage {
  readonly containerName: string;
  readonly status: number;
  readonly failureReason: string;
  readonly downloadProgress?: number;
  readonly progressMessages?: readonly string[];
  readonly [field: string]: unknown;
}

interface Received {
  readonly id: string;
  readonly operation: string | undefined;
  readonly message: ReceivedMessage;
}

const END = "-end";

/** A host that records all notices, each once however often it is sent. */
export class RecordingListener {
  readonly #received: Received[] = [];
  readonly #waiting = new Set<() => void>();
  /** Whether nobody answers. */
  isAway = false;

  deliver({ message }: Notice, id: string, operation: string | undefined): Delivery {
    if (this.isAway) return { kind: "unreachable", reason: "no answer" };
    if (this.#received.some((received) => received.id === id)) return { kind: "acknowledged" };
    this.#received.push({ id, operation, message: message as unknown as ReceivedMessage });
    for (const wake of [...this.#waiting]) wake();
    return { kind: "acknowledged" };
  }

  progress(operation: string): ReceivedMessage[] {
    return this.#of(operation).flatMap(({ id, message }) => (id.endsWith(END) ? [] : [message]));
  }

  finals(operation: string): ReceivedMessage[] {
    return this.#of(operation).flatMap(({ id, message }) => (id.endsWith(END) ? [message] : []));
  }

  /** Resolves with the end of an operation. */
  async final(operation: string): Promise<ReceivedMessage> {
    return await this.#first(() => this.finals(operation)[0]);
  }

  /** Resolves with the first progress of an operation that is like this. */
  async progressWith(operation: string, is: (message: ReceivedMessage) => boolean): Promise<ReceivedMessage> {
    return await this.#first(() => this.progress(operation).find(is));
  }

  #of(operation: string): Received[] {
    return this.#received.filter((received) => received.operation === operation);
  }

  async #first(look: () => ReceivedMessage | undefined): Promise<ReceivedMessage> {
    for (;;) {
      const found = look();
      if (found) return found;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await promise;
      this.#waiting.delete(resolve);
    }
  }
}

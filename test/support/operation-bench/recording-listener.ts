import type { Outcome as Delivery } from "../../../src/daemon/notices/delivery.ts";
import type { Notice } from "../../../src/daemon/notices/notice.ts";

/** What the messages of the listener have in common, as far as tests look. Numbers that are not there are 0. */
export interface HeardMessage {
  readonly containerName: string;
  readonly status: number;
  readonly failureReason: string;
  readonly downloadProgress?: number;
  readonly progressMessages?: readonly string[];
  readonly [field: string]: unknown;
}

interface Heard {
  readonly id: string;
  readonly operation: string | undefined;
  readonly message: HeardMessage;
}

const END = "-end";

/** A host that keeps all that it is told, each notice once however often it is sent. */
export class RecordingListener {
  readonly #heard: Heard[] = [];
  readonly #waiting = new Set<() => void>();
  /** Whether nobody answers. */
  isAway = false;

  deliver({ message }: Notice, id: string, operation: string | undefined): Delivery {
    if (this.isAway) return { kind: "away", reason: "nobody answers" };
    if (this.#heard.some((heard) => heard.id === id)) return { kind: "taken" };
    this.#heard.push({ id, operation, message: message as unknown as HeardMessage });
    for (const wake of [...this.#waiting]) wake();
    return { kind: "taken" };
  }

  progress(operation: string): HeardMessage[] {
    return this.#of(operation).flatMap(({ id, message }) => (id.endsWith(END) ? [] : [message]));
  }

  finals(operation: string): HeardMessage[] {
    return this.#of(operation).flatMap(({ id, message }) => (id.endsWith(END) ? [message] : []));
  }

  /** Resolves with the end of an operation. */
  async final(operation: string): Promise<HeardMessage> {
    return await this.#first(() => this.finals(operation)[0]);
  }

  /** Resolves with the first progress of an operation that is like this. */
  async progressWith(operation: string, is: (message: HeardMessage) => boolean): Promise<HeardMessage> {
    return await this.#first(() => this.progress(operation).find(is));
  }

  #of(operation: string): Heard[] {
    return this.#heard.filter((heard) => heard.operation === operation);
  }

  async #first(look: () => HeardMessage | undefined): Promise<HeardMessage> {
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

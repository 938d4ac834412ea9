import { busySentence } from "../../../actions/container-actions.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Operation } from "../../notices/journal.ts";

/** The operation that holds the lock of a container, and what keeps it from ending, if anything does. */
export interface LockHolder extends Operation {
  readonly obstacle?: string;
}

/** The lock of a container; disposing it releases it. */
export interface Lock extends Disposable {
  /** Sets what keeps the operation from ending, for the refusals of other operations. */
  setObstacle(obstacle: string): void;
}

/** At most one operation at a time works on a container. */
export class Locks {
  readonly #held = new Map<string, LockHolder>();

  /** Takes the lock of the operation's container. Throws `busy`, naming the holder. */
  take(operation: Operation): Lock {
    const { container } = operation;
    const holder = this.#held.get(container);
    if (holder) throw new TremplinError("busy", busySentence(container, holder));
    this.#held.set(container, operation);
    // After its release the lock is another operation's.
    const ifHeld = (act: () => void): void => {
      if (this.#held.get(container)?.id === operation.id) act();
    };
    return {
      setObstacle: (obstacle) => ifHeld(() => this.#held.set(container, { ...operation, obstacle })),
      [Symbol.dispose]: () => ifHeld(() => this.#held.delete(container)),
    };
  }

  holder(container: string): LockHolder | undefined {
    return this.#held.get(container);
  }

  /** All holders, the oldest first. */
  all(): LockHolder[] {
    return [...this.#held.values()].sort((a, b) => a.startedAt - b.startedAt);
  }
}

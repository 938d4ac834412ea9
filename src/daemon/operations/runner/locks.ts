import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Operation } from "../../notices/journal.ts";

/** An operation that has a container, and what keeps it from ending, if anything does. */
export interface Holder extends Operation {
  readonly obstacle?: string;
}

/** A lock that is held; released by dispose. */
export interface Lock extends Disposable {
  /** Says what keeps the operation from ending, for whoever is refused meanwhile. */
  explain(obstacle: string): void;
}

/** One operation at a time per container. */
export class Locks {
  readonly #held = new Map<string, Holder>();

  /** Takes the container for an operation. Throws `busy`, naming the one that has it. */
  take(operation: Operation): Lock {
    const { container } = operation;
    const holder = this.#held.get(container);
    if (holder) throw new TremplinError("busy", refusal(holder));
    this.#held.set(container, operation);
    // Once it is released it is somebody else's.
    const ifHeld = (act: () => void): void => {
      if (this.#held.get(container)?.id === operation.id) act();
    };
    return {
      explain: (obstacle) => ifHeld(() => this.#held.set(container, { ...operation, obstacle })),
      [Symbol.dispose]: () => ifHeld(() => this.#held.delete(container)),
    };
  }

  /** The operation that has the container now. */
  holder(container: string): Holder | undefined {
    return this.#held.get(container);
  }

  /** All that are under way, oldest first. */
  all(): Holder[] {
    return [...this.#held.values()].sort((a, b) => a.startedAt - b.startedAt);
  }
}

function refusal({ kind, container, startedAt, obstacle }: Holder): string {
  const since = new Date(startedAt).toISOString();
  const what = container ? `container ${container}` : "the engine";
  const why = obstacle ? ` (${obstacle})` : "";
  return `${what} is busy: operation "${kind}" is under way since ${since}${why}; wait for its end and try again`;
}

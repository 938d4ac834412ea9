import { TremplinError } from "../../base/tremplin-error.ts";
import type { Operation } from "./operation.ts";

/** One operation at a time per container. */
export class Locks {
  readonly #held = new Map<string, Operation>();

  /** Takes the container for an operation; released by dispose. Throws `busy`, naming the one that has it. */
  take(operation: Operation): Disposable {
    const { container } = operation;
    const holder = this.#held.get(container);
    if (holder) throw new TremplinError("busy", refusal(holder));
    this.#held.set(container, operation);
    return { [Symbol.dispose]: () => this.#held.delete(container) };
  }

  /** The operation that has the container now. */
  holder(container: string): Operation | undefined {
    return this.#held.get(container);
  }

  /** All that are under way, oldest first. */
  all(): Operation[] {
    return [...this.#held.values()].sort((a, b) => a.startedAt - b.startedAt);
  }
}

function refusal({ kind, container, startedAt }: Operation): string {
  const since = new Date(startedAt).toISOString();
  const what = container ? `container ${container}` : "the engine";
  return `${what} is busy: operation "${kind}" is under way since ${since}; wait for its end and try again`;
}

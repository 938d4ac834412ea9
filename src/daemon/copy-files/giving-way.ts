import { busySentence } from "../../actions/container-actions.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/**
 * Operations that the engine does not begin, or not end, while somebody has files of the container open. An upgrade
 * restarts the container, and a rollback of it would lose what was copied meanwhile.
 */
const FIRST = new Set([
  "create",
  "start",
  "stop",
  "restart",
  "delete",
  "rename",
  "import",
  "restore",
  "upgrade",
  "undo-upgrade",
]);
const LOOK_MS = 200;

interface Locks {
  holder(container: string): { readonly kind: string; readonly startedAt: number } | undefined;
}

/**
 * Lets a copy end when an operation begins that needs the files of its container closed. A person who stops a container
 * must not wait for a copy of hours, nor for one that a hostile container made endless.
 */
export class GivingWay implements Disposable {
  readonly signal: AbortSignal;
  readonly #locks: Locks;
  readonly #container: string;
  readonly #timer: NodeJS.Timeout;

  /** Throws `busy` where such an operation is under way. */
  constructor(locks: Locks, container: string, outer: AbortSignal) {
    this.#locks = locks;
    this.#container = container;
    this.check();
    const controller = new AbortController();
    this.signal = AbortSignal.any([outer, controller.signal]);
    this.#timer = setInterval(() => {
      const kind = locks.holder(container)?.kind;
      if (kind === undefined || !FIRST.has(kind)) return;
      const sentence = `the copy ended because the operation "${kind}" has begun on ${container}; what was complete stays`;
      controller.abort(new TremplinError("busy", sentence));
    }, LOOK_MS).unref();
  }

  /** Throws `busy` where such an operation is under way. */
  check(): void {
    const holder = this.#locks.holder(this.#container);
    if (holder && FIRST.has(holder.kind))
      throw new TremplinError("busy", busySentence(this.#container, holder));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "../../../base/async/clock.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type {
  BackupTransferSchema,
  BackupTransfer_Phase as Phase,
} from "../../../contract/tremplin/v1/host_pb.js";

type State = MessageInitShape<typeof BackupTransferSchema>;

/** How often a page gets the number of bytes. */
const INTERVAL_MS = 500;

/** A download or an upload, as the page that asked for it sees it. */
export class Transfer {
  readonly id = randomUUID();
  /** Whether the work goes on when that page is closed. */
  goesOnAlone = false;
  readonly #cancelled = new AbortController();
  #state: State = { id: this.id };
  #entered = Promise.withResolvers<void>();

  /** Aborts when the work is to end. */
  get signal(): AbortSignal {
    return this.#cancelled.signal;
  }

  /** `reason`: a sentence for the person. */
  cancel(reason: string): void {
    this.#cancelled.abort(new TremplinError("cancelled", reason));
  }

  enter(phase: Phase, details: Pick<State, "urlPath" | "operation"> = {}): void {
    this.#state = { id: this.id, phase, ...details };
    this.#entered.resolve();
    this.#entered = Promise.withResolvers();
  }

  count(bytes: bigint, totalBytes: bigint): void {
    this.#state = { ...this.#state, bytes, totalBytes };
  }

  /** Each state until the work ends; throws what it throws. */
  async *follow(work: Promise<void>, clock: Clock, signal: AbortSignal): AsyncGenerator<State, void, void> {
    let isOver = false;
    const over = work.then(
      () => undefined,
      () => undefined,
    );
    void over.then(() => {
      isOver = true;
    });
    for (let shown: State | undefined; !signal.aborted; ) {
      if (shown !== this.#state) {
        shown = this.#state;
        yield shown;
      }
      if (isOver) return await work;
      const pause = clock.sleep(INTERVAL_MS, signal).catch(() => undefined);
      await Promise.race([over, this.#entered.promise, pause]);
    }
  }
}

import { bytesText } from "../../base/text.ts";
import type { Session } from "../host-client/session.ts";

export interface Skipped {
  readonly path: Uint8Array;
  readonly reason: string;
  readonly special: boolean;
}

/** As many are kept to be named; a container could have any number. */
const MAX_KEPT = 1000;
const SHOW_MS = 100;

/** What a copy has done so far. */
export class Tally {
  files = 0;
  bytes = 0;
  /** Of all, where it is known. */
  total: number | undefined;
  /** How many could not be copied although they are files. */
  unreadable = 0;
  readonly skipped: Skipped[] = [];
  #shownAt = Number.NEGATIVE_INFINITY;

  skip({ path, reason, special }: Partial<Skipped>): void {
    if (!special) this.unreadable++;
    if (this.skipped.length >= MAX_KEPT) return;
    this.skipped.push({ path: path ?? new Uint8Array(), reason: reason ?? "", special: special ?? false });
  }

  get text(): string {
    const count = this.files === 1 ? "1 file" : `${this.files} files`;
    return `${count}, ${bytesText(this.bytes)}`;
  }

  /** At most ten times a second: each message of the guest would be more than anybody can read. */
  show({ progress, io }: Pick<Session, "progress" | "io">): void {
    const now = io.clock.elapsed();
    if (now - this.#shownAt < SHOW_MS) return;
    this.#shownAt = now;
    const { bytes, total } = this;
    const of = total === undefined ? "" : ` of ${bytesText(total)}`;
    const percent = total ? Math.min(100, Math.floor((100 * bytes) / total)) : undefined;
    progress.update(`${this.text}${of}`, percent, bytes);
  }
}

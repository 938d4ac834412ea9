import type { Clock } from "../../../base/async/clock.ts";
import { ContainerImportProgress_Status as Status } from "../../../contract/tremplin_pb.js";

/** Hosts show the percentage of each status as one half of the whole. */
const HALF = 100;

/**
 * How far an import is. Hosts show IMPORTING_UPLOAD as the first half of a bar and IMPORTING_UNPACK as the second
 * (docs/contract.md#updateimportstatus), so both together grow from the first notice to the last, whatever the import
 * does inside: an unpacking that the daemon does itself fills both halves.
 */
export class ImportBar {
  readonly #clock: Clock;
  /** From 0 to two halves. */
  #position = 0;
  #from = 0;
  #to = 0;
  #speed = 0;
  #began = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a part of the work that fills this share of what is left of the bar. */
  begin(share: number): void {
    this.#from = this.#position;
    this.#to = this.#from + (2 * HALF - this.#from) * share;
    this.#speed = 0;
    this.#began = this.#clock.elapsed();
  }

  /** Says how much of the part is done. `speed`: bytes per second. */
  move(done: number, total: number, speed: number): void {
    const position = this.#from + ((this.#to - this.#from) * Math.min(done, total)) / Math.max(1, total);
    this.#position = Math.max(this.#position, position);
    this.#speed = speed;
  }

  /** Says how many bytes of all are done since the part began. */
  moveBytes(done: number, total: number): void {
    const seconds = (this.#clock.elapsed() - this.#began) / 1000;
    this.move(done, total, seconds > 0 ? done / seconds : 0);
  }

  /** The fields of a notice: percent, and bytes per second. */
  read(): { status: Status; progressPercent: number; progressSpeed: bigint } {
    const isFirst = this.#position < HALF;
    return {
      status: isFirst ? Status.IMPORTING_UPLOAD : Status.IMPORTING_UNPACK,
      progressPercent: Math.floor(isFirst ? this.#position : this.#position - HALF),
      progressSpeed: BigInt(Math.round(this.#speed)),
    };
  }
}

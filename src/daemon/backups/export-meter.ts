import { fstatSync } from "node:fs";
import type { FileCount } from "./archive-head.ts";
import { bytesReadByProcess } from "./subprocess.ts";

/** Progress of an export, with the field names of the contract's message. */
export interface ExportCounters {
  readonly totalInputFiles: number;
  readonly totalInputBytes: bigint;
  readonly inputFilesStreamed: number;
  readonly inputBytesStreamed: bigint;
  readonly bytesExported: bigint;
}

/** Tar's blocks per file: its header, and an extended header with its body for the time in nanoseconds. */
const HEADER_BYTES = 3 * 512;

/**
 * Counts what an export has read and written. The daemon does not see the bytes themselves, because tar writes
 * directly to the compressor: the kernel reports how many bytes the compressor has read.
 */
export class ExportMeter {
  #total: FileCount = { files: 0, bytes: 0 };
  #files = 0;
  #written = 0;
  #streamed = 0;
  #reader: number | undefined;
  #file: number | undefined;

  /** Sets the total, once. */
  expect(total: FileCount): void {
    this.#total = total;
  }

  /** Whether both totals are known and not 0. */
  get hasTotals(): boolean {
    return this.#total.files > 0 && this.#total.bytes > 0;
  }

  /** `reader`: pid of the process that reads the archive; `file`: descriptor of the file that it writes. */
  watch(reader: number | undefined, file: number): void {
    this.#reader = reader;
    this.#file = file;
  }

  countFiles(files: number): void {
    this.#files += files;
  }

  /** Takes a last sample. Call this before the file is closed. */
  unwatch(): void {
    this.#sample();
    this.#reader = undefined;
    this.#file = undefined;
  }

  /** Everything was read and written. */
  finish(): void {
    this.unwatch();
    this.#streamed = this.#total.bytes;
  }

  read(): ExportCounters {
    this.#sample();
    return {
      totalInputFiles: this.#total.files,
      totalInputBytes: BigInt(this.#total.bytes),
      inputFilesStreamed: Math.min(this.#files, this.#total.files),
      inputBytesStreamed: BigInt(this.#streamed),
      bytesExported: BigInt(this.#written),
    };
  }

  #sample(): void {
    if (this.#file !== undefined) this.#written = fstatSync(this.#file).size;
    if (this.#reader === undefined) return;
    const read = bytesReadByProcess(this.#reader) - this.#files * HEADER_BYTES;
    this.#streamed = Math.max(this.#streamed, Math.min(read, this.#total.bytes));
  }
}

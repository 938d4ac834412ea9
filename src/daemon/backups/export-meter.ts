import { fstatSync } from "node:fs";
import type { FileCount } from "./archive-head.ts";
import { bytesReadByProcess } from "./subprocess.ts";

/** How far an export has come; the names are those of the contract's progress message. */
export interface ExportCounters {
  readonly totalInputFiles: number;
  readonly totalInputBytes: bigint;
  readonly inputFilesStreamed: number;
  readonly inputBytesStreamed: bigint;
  readonly bytesExported: bigint;
}

/** The blocks of tar around a file: its own header, and one more with its text for the time in nanoseconds. */
const HEADER_BYTES = 3 * 512;

/**
 * Counts what an export has read and written. The bytes between file boundaries are not seen by us (tar hands
 * them to the compressor directly): the kernel tells how many the compressor has read.
 */
export class ExportMeter {
  #total: FileCount = { files: 0, bytes: 0 };
  #files = 0;
  #written = 0;
  #streamed = 0;
  #reader: number | undefined;
  #file: number | undefined;

  /** There is so much to do. */
  expect(total: FileCount): void {
    this.#total = total;
  }

  /** The process that reads the archive, and the open file that it writes. */
  watch(reader: number | undefined, file: number): void {
    this.#reader = reader;
    this.#file = file;
  }

  countFiles(files: number): void {
    this.#files += files;
  }

  /** The process has ended, or is about to be; the file may be closed after this. */
  unwatch(): void {
    this.#sample();
    this.#reader = undefined;
    this.#file = undefined;
  }

  /** All that was expected has been read and written. */
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
    const passed = bytesReadByProcess(this.#reader) - this.#files * HEADER_BYTES;
    this.#streamed = Math.max(this.#streamed, Math.min(passed, this.#total.bytes));
  }
}

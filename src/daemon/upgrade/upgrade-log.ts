import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MAX_LINE_BYTES } from "./output-lines.ts";

/** Endless output of a container must not fill the disk of the guest. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The log file of a container's most recent upgrade. */
export function upgradeLogPath(stateFolder: string, container: string): string {
  return join(stateFolder, "upgrades", `${container}.log`);
}

/**
 * All lines of an upgrade, in a file that is truncated at first. The reporter reads them back from the file in order,
 * so a slow or unreachable host costs neither memory nor lines. A full or failing disk loses lines, but never stops
 * the upgrade.
 */
export class UpgradeLog implements AsyncDisposable {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #maxBytes: number;
  #written = 0;
  #readOffset = 0;
  #isFull = false;

  private constructor(path: string, file: FileHandle, maxBytes: number) {
    this.path = path;
    this.#file = file;
    this.#maxBytes = maxBytes;
  }

  static async open(path: string, maxBytes = MAX_BYTES): Promise<UpgradeLog> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Append mode: several callers write at the same time.
    const file = await open(path, "a+", 0o600);
    await file.truncate(0);
    return new UpgradeLog(path, file, maxBytes);
  }

  /** Writes plain lines (see output-lines.ts). */
  async write(lines: readonly string[]): Promise<void> {
    if (lines.length === 0 || this.#isFull) return;
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    this.#isFull = this.#written + bytes.length > this.#maxBytes;
    await this.#append(this.#isFull ? Buffer.from("(the log is full; later lines are left out)\n") : bytes);
  }

  /** Writes a line of the daemon itself, even if the log is full. */
  async say(line: string): Promise<void> {
    await this.#append(Buffer.from(`${line}\n`));
  }

  /** Reads the next lines, at most `maxLines`. */
  async next(maxLines: number): Promise<string[]> {
    const length = Math.min(this.#written - this.#readOffset, maxLines * (MAX_LINE_BYTES + 1));
    if (length <= 0) return [];
    const buffer = Buffer.alloc(length);
    const bytesRead = await this.#file.read(buffer, 0, length, this.#readOffset).then(
      (read) => read.bytesRead,
      () => 0,
    );
    const lines = buffer.toString("utf8", 0, buffer.subarray(0, bytesRead).lastIndexOf(10) + 1).split("\n");
    const next = lines.slice(0, -1).slice(0, maxLines);
    this.#readOffset += Buffer.byteLength(next.map((line) => `${line}\n`).join(""));
    return next;
  }

  /** Reads to the end. Returns the last lines, at most `maxLines`, and how many were left out. */
  async last(maxLines: number): Promise<{ lines: string[]; leftOut: number }> {
    const lines: string[] = [];
    let leftOut = 0;
    for (;;) {
      const more = await this.next(maxLines);
      if (more.length === 0) return { lines, leftOut };
      lines.push(...more);
      leftOut += lines.splice(0, Math.max(0, lines.length - maxLines)).length;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #append(bytes: Buffer): Promise<void> {
    const written = await this.#file.appendFile(bytes).then(
      () => bytes.length,
      () => 0,
    );
    this.#written += written;
  }
}

import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MAX_LINE_BYTES } from "./output-lines.ts";

/** A container that prints without end must not fill the disk out here. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Where the lines of a container's newest upgrade are. */
export function upgradeLogPath(stateFolder: string, container: string): string {
  return join(stateFolder, "upgrades", `${container}.log`);
}

/**
 * The lines of an upgrade, all of them, in a file that is made anew: so neither a slow host nor one that is
 * away costs memory or a line. Who tells them reads them back from it in order. A disk out here that is full, or
 * fails, loses lines; it never stops the upgrade.
 */
export class UpgradeLog implements AsyncDisposable {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #maxBytes: number;
  #written = 0;
  #readOffset = 0;
  #isFull = false;

  private constructor(path: string, file: FileHandle, most: number) {
    this.path = path;
    this.#file = file;
    this.#maxBytes = most;
  }

  static async open(path: string, most = MAX_BYTES): Promise<UpgradeLog> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // To be written at its end only: several write at the same time.
    const file = await open(path, "a+", 0o600);
    await file.truncate(0);
    return new UpgradeLog(path, file, most);
  }

  /** Writes plain lines (see output-lines.ts). */
  async write(lines: readonly string[]): Promise<void> {
    if (lines.length === 0 || this.#isFull) return;
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    this.#isFull = this.#written + bytes.length > this.#maxBytes;
    await this.#append(this.#isFull ? Buffer.from("(the log is full: what follows is left out)\n") : bytes);
  }

  /** Writes a line of our own, also when the log is full. */
  async say(line: string): Promise<void> {
    await this.#append(Buffer.from(`${line}\n`));
  }

  /** The next lines that were not given yet, at most so many. */
  async next(most: number): Promise<string[]> {
    const length = Math.min(this.#written - this.#readOffset, most * (MAX_LINE_BYTES + 1));
    if (length <= 0) return [];
    const buffer = Buffer.alloc(length);
    const bytesRead = await this.#file.read(buffer, 0, length, this.#readOffset).then(
      (read) => read.bytesRead,
      () => 0,
    );
    const lines = buffer.toString("utf8", 0, buffer.subarray(0, bytesRead).lastIndexOf(10) + 1).split("\n");
    const given = lines.slice(0, -1).slice(0, most);
    this.#readOffset += Buffer.byteLength(given.map((line) => `${line}\n`).join(""));
    return given;
  }

  /** The last lines that were not given yet, at most so many; and how many are left out. */
  async last(most: number): Promise<{ lines: string[]; leftOut: number }> {
    const lines: string[] = [];
    let leftOut = 0;
    for (;;) {
      const more = await this.next(most);
      if (more.length === 0) return { lines, leftOut };
      lines.push(...more);
      leftOut += lines.splice(0, Math.max(0, lines.length - most)).length;
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

import { closeSync, openSync, readSync } from "node:fs";

/** The kernel hands out at most a page of memory at once, which has 64 KiB on some machines. */
const page = Buffer.alloc(64 * 1024);

/**
 * A file that the kernel writes anew for whoever reads it, from memory and at once. Read some times a second
 * for each container, it must cost next to nothing: so without the thread pool, and one system call a page.
 */
export class ProcFile implements Disposable {
  readonly #file: number;

  /** Throws when there is no such file. */
  constructor(path: string) {
    this.#file = openSync(path, "r");
  }

  /** Its first page, as it is now. */
  first(): string {
    return this.#read(0);
  }

  /** The page after the one that was read last, the first at first; empty behind the last. */
  next(): string {
    return this.#read(null);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #read(position: number | null): string {
    return page.toString("latin1", 0, readSync(this.#file, page, 0, page.length, position));
  }
}

/** The first page of a file. */
export function readProcFile(path: string): string {
  using file = new ProcFile(path);
  return file.first();
}

/**
 * A folder of a process below /proc. Holds the process itself, not its number: what is opened in it is of
 * this very process, and of none that got its number later.
 */
export class ProcFolder implements Disposable {
  #file: number;

  /** Throws when there is no such process. */
  constructor(path: string) {
    this.#file = openSync(path, "r");
  }

  /** Where something in it is. Opening that throws ENOENT or ESRCH once the process has ended. */
  path(name: string): string {
    return `/proc/${process.pid}/fd/${this.#file}/${name}`;
  }

  [Symbol.dispose](): void {
    if (this.#file < 0) return;
    closeSync(this.#file);
    // The number may be given to another file: no path leads there any more.
    this.#file = -1;
  }
}

/** Whether an error of reading means that the process is no more. ENODEV: its control group has gone too. */
export function hasEnded(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ESRCH" || code === "ENODEV";
}

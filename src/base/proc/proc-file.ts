import { closeSync, openSync, readSync } from "node:fs";

/** The kernel returns at most one page of memory at once; pages have 64 KiB on some machines. */
const page = Buffer.alloc(64 * 1024);

/**
 * A file of /proc, which the kernel generates from memory on each read. It is read several times a second for
 * each container, so without the thread pool, with one system call per page.
 */
export class ProcFile implements Disposable {
  readonly #file: number;

  /** Throws when there is no such file. */
  constructor(path: string) {
    this.#file = openSync(path, "r");
  }

  /** The first page, as it is now. */
  first(): string {
    return this.#read(0);
  }

  /** The next page, beginning with the first; empty after the last. */
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

/** A process's folder below /proc. Paths in it refer to that process, never to a later one with the same number. */
export class ProcFolder implements Disposable {
  #file: number;

  /** Throws when there is no such process. */
  constructor(path: string) {
    this.#file = openSync(path, "r");
  }

  /** The path of a file in it. Opening that throws ENOENT or ESRCH once the process has ended. */
  path(name: string): string {
    return `/proc/${process.pid}/fd/${this.#file}/${name}`;
  }

  [Symbol.dispose](): void {
    if (this.#file < 0) return;
    closeSync(this.#file);
    // The kernel may reuse the number for another file: paths must not lead there.
    this.#file = -1;
  }
}

/** Whether a read failed because the process has ended. ENODEV: its control group is gone as well. */
export function hasEnded(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ESRCH" || code === "ENODEV";
}

import type { FileSession, NodeOwner } from "../../engine/files/file-session.ts";
import type { OpenFile } from "../../engine/files/open-file.ts";

/** How much may be on its way to the engine. */
const WINDOW_BYTES = 2 * 1024 * 1024;

/** A file of a container under a temporary name, while it is written. */
export class UnfinishedFile {
  readonly #session: FileSession;
  readonly #path: string;
  readonly #file: OpenFile;
  readonly #writes: { readonly done: Promise<void>; readonly bytes: number }[] = [];
  #written = 0;
  #waiting = 0;

  private constructor(session: FileSession, path: string, file: OpenFile) {
    this.#session = session;
    this.#path = path;
    this.#file = file;
  }

  static async open(session: FileSession, path: string, owner: NodeOwner): Promise<UnfinishedFile> {
    const opened = await session.openNew(path);
    const file = new UnfinishedFile(session, path, opened);
    try {
      await opened.setOwner(owner);
      return file;
    } catch (error) {
      await file.discard();
      throw error;
    }
  }

  /** Appends. Waits while much is on its way; so an error may be of bytes before. */
  async write(bytes: Uint8Array): Promise<void> {
    const done = this.#file.write(bytes, this.#written);
    done.catch(() => undefined);
    this.#writes.push({ done, bytes: bytes.length });
    this.#written += bytes.length;
    this.#waiting += bytes.length;
    while (this.#waiting > WINDOW_BYTES) await this.#oldest();
  }

  /** Gives it its name, in the place of a file or link that has it. */
  async complete(path: string, modified: number): Promise<void> {
    while (this.#writes.length > 0) await this.#oldest();
    await Promise.all([this.#file.setModified(Math.min(modified, 0xffffffff)), this.#file.close()]);
    await this.#session.rename(this.#path, path);
  }

  async discard(): Promise<void> {
    await Promise.allSettled(this.#writes.map(({ done }) => done));
    await this.#file.close().catch(() => undefined);
    await this.#session.remove(this.#path).catch(() => undefined);
  }

  async #oldest(): Promise<void> {
    const write = this.#writes.shift();
    this.#waiting -= write?.bytes ?? 0;
    await write?.done;
  }
}

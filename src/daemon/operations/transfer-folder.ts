import { randomBytes } from "node:crypto";
import {
  constants,
  type FileHandle,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { bytesOfFile } from "../../base/files/files.ts";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { openSharedFile } from "./shared-file.ts";

/** Long enough for the slowest link, and for a caller who was away. */
const MAX_AGE_MS = 24 * 3_600_000;
const NAME = /^[0-9a-f]{16}\.tar\.(?:gz|zst|xz)$/;
const UNFINISHED = ".unfinished";

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/**
 * The folder in the shared folder with backups on their way from or to callers who do not see the shared folder. Files
 * of callers that never came back are removed after a day, by their time.
 */
export class TransferFolder {
  readonly #shared: string;
  readonly #path: string;

  constructor(shared: string) {
    this.#shared = shared;
    this.#path = join(shared, "transfers");
  }

  /** The path for a new file. The end of `fileName` says how it is compressed. */
  async newPath(fileName: string, now = Date.now()): Promise<string> {
    const ending = /\.(zst|xz)$/.exec(fileName)?.[1] ?? "gz";
    await mkdir(this.#path, { recursive: true, mode: 0o700 }).catch((error) => this.#fail(error));
    await this.#assertInside(this.#path);
    await this.#removeOld(now);
    return join(this.#path, `${randomBytes(8).toString("hex")}.tar.${ending}`);
  }

  /** A file to read. Throws `not-found` for a path that is no transfer. */
  async open(path: string): Promise<FileHandle> {
    this.#check(path);
    return await openSharedFile(this.#shared, path);
  }

  /** Receives a file. Whatever ends this before the last byte leaves none; only the whole file gets its name. */
  async *receive(
    fileName: string,
    chunks: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<{ receivedBytes: number }, string, void> {
    const path = await this.newPath(fileName);
    const unfinished = `${path}${UNFINISHED}`;
    await using file = await open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600).catch(
      (error) => this.#fail(error),
    );
    try {
      let receivedBytes = 0;
      for await (const chunk of chunks) {
        await file.writeFile(chunk).catch((error) => this.#fail(error));
        receivedBytes += chunk.length;
        yield { receivedBytes };
      }
      await file.datasync();
      await rename(unfinished, path);
      return path;
    } finally {
      await rm(unfinished, { force: true });
    }
  }

  /** Deletes a file, if it is there. */
  async remove(path: string): Promise<void> {
    this.#check(path);
    const folder = await realpath(this.#path).catch(() => undefined);
    if (folder === undefined) return;
    await this.#assertInside(folder);
    await rm(join(folder, basename(path)), { force: true });
  }

  #check(path: string): void {
    if (dirname(path) === this.#path && NAME.test(basename(path))) return;
    throw new TremplinError("not-found", "there is no such transfer");
  }

  /** Somebody who writes to the shared folder could have put a link there. */
  async #assertInside(folder: string): Promise<void> {
    const [actual, shared] = await Promise.all([realpath(folder), realpath(this.#shared)]);
    if (actual === join(shared, "transfers")) return;
    throw new TremplinError("failed", `${this.#path} is a link: remove it, it must be a folder`);
  }

  async #removeOld(now: number): Promise<void> {
    for (const name of await readdir(this.#path)) {
      if (!NAME.test(name.replace(UNFINISHED, ""))) continue;
      const path = join(this.#path, name);
      const found = await stat(path).catch(() => undefined);
      if (found && now - found.mtimeMs > MAX_AGE_MS) await rm(path, { force: true });
    }
  }

  #fail(error: unknown): never {
    const sentence = `cannot write to ${this.#path} on the guest: ${systemErrorText(error)}`;
    throw new TremplinError("failed", sentence, error);
  }
}

/** The content of a file with its size. */
export async function* contentOf(file: FileHandle) {
  const { size } = await file.stat();
  const totalBytes = BigInt(size);
  if (size === 0) yield { data: new Uint8Array(), totalBytes };
  for await (const data of bytesOfFile(file)) yield { data, totalBytes };
}

import { randomBytes } from "node:crypto";
import { constants, type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { bytesOfFile, ignoreMissing } from "../../base/files/files.ts";
import { systemErrorText } from "../../base/system-error.ts";
import { bytesText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { checkHead, HEAD_BYTES } from "../backups/archive-format.ts";
import { OpenFolder } from "./export/open-folder.ts";

/** Long enough for the slowest link, and for a caller who was away. */
const MAX_AGE_MS = 24 * 3_600_000;
const NAME = /^[0-9a-f]{16}\.tar\.(?:gz|zst|xz)$/;
const UNFINISHED = ".unfinished";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

export interface Incoming {
  /** Its end says how the file is compressed. */
  readonly fileName: string;
  /** 0: unknown. */
  readonly totalBytes: number;
}

/**
 * The folder in the shared folder with backups on their way from or to callers who do not see the shared folder. Files
 * of callers that never came back are removed after a day, by their time. Others may write to the shared folder, so
 * every file is looked up in the opened folder, which is checked, and never by its path.
 */
export class TransferFolder {
  readonly #shared: string;
  readonly #path: string;

  constructor(shared: string) {
    this.#shared = shared;
    this.#path = join(shared, "transfers");
  }

  /** The path for a new file. */
  async newPath(fileName: string, now = Date.now()): Promise<string> {
    await using folder = await this.#make();
    await removeOld(folder, now);
    return join(this.#path, newName(fileName));
  }

  /** A file to read. Throws `not-found` for a path that is no transfer. */
  async open(path: string): Promise<FileHandle> {
    this.#check(path);
    await using folder = await this.#find();
    // O_NONBLOCK: opening a pipe must not wait for a writer.
    const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
    const file = await open(folder?.at(basename(path)) ?? path, flags).catch((error) => {
      throw new TremplinError("invalid", `cannot open ${path}: ${systemErrorText(error)}`, error);
    });
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new TremplinError("invalid", `${path} is not a regular file`);
  }

  /**
   * Receives a file. Whatever ends this before the last byte leaves none; only the whole file gets its name. Throws at
   * once for one that has no room, or begins as no backup does.
   */
  async *receive(
    { fileName, totalBytes }: Incoming,
    chunks: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<{ receivedBytes: number }, string, void> {
    await using folder = await this.#make();
    await removeOld(folder, Date.now());
    await this.#checkRoom(folder, totalBytes);
    const name = newName(fileName);
    const unfinished = folder.at(`${name}${UNFINISHED}`);
    await using file = await open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600).catch(
      (error) => this.#fail(error),
    );
    try {
      let receivedBytes = 0;
      for await (const chunk of withCheckedHead(chunks)) {
        await file.writeFile(chunk).catch((error) => this.#fail(error));
        receivedBytes += chunk.length;
        yield { receivedBytes };
      }
      await file.datasync();
      await rename(unfinished, folder.at(name));
      return join(this.#path, name);
    } finally {
      await rm(unfinished, { force: true });
    }
  }

  /** Deletes a file, if it is there. */
  async remove(path: string): Promise<void> {
    this.#check(path);
    await using folder = await this.#find();
    if (folder) await rm(folder.at(basename(path)), { force: true });
  }

  #check(path: string): void {
    if (dirname(path) === this.#path && NAME.test(basename(path))) return;
    throw new TremplinError("not-found", "there is no such transfer");
  }

  async #make(): Promise<OpenFolder> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 }).catch((error) => this.#fail(error));
    return (await this.#find()) ?? this.#fail(new Error("it was removed at once"));
  }

  /** Undefined where there is none. Throws `failed` for one that another user could have put there. */
  async #find(): Promise<OpenFolder | undefined> {
    const folder = await OpenFolder.open(this.#shared, this.#path).catch((error) => {
      // A link to another place.
      if (error instanceof TremplinError) throw this.#isNotOurs("a link");
      return ignoreMissing(error);
    });
    if (!folder) return undefined;
    try {
      const [own, shared] = await Promise.all([
        folder.handle.stat(),
        OpenFolder.open(this.#shared, this.#shared),
      ]);
      await using outer = shared;
      if (folder.path !== join(outer.path, "transfers")) throw this.#isNotOurs("a link");
      const owners = [process.geteuid?.(), (await outer.handle.stat()).uid];
      if (!owners.includes(own.uid)) throw this.#isNotOurs(`of another user (${own.uid})`);
      return folder;
    } catch (error) {
      await folder[Symbol.asyncDispose]();
      throw error;
    }
  }

  #isNotOurs(what: string): TremplinError {
    const sentence = `${this.#path} is ${what}: remove it, it must be a folder of the daemon`;
    return new TremplinError("failed", sentence);
  }

  async #checkRoom(folder: OpenFolder, totalBytes: number): Promise<void> {
    const { bavail, bsize, blocks } = await statfs(folder.at("."));
    // A share need not say how large it is.
    if (blocks === 0 || bavail * bsize >= totalBytes) return;
    const free = bytesText(bavail * bsize);
    const sentence = `the backup has ${bytesText(totalBytes)}, and only ${free} are free in ${this.#shared} on the guest: free some space there`;
    throw new TremplinError("failed", sentence);
  }

  #fail(error: unknown): never {
    const sentence = `cannot write to ${this.#path} on the guest: ${systemErrorText(error)}`;
    throw new TremplinError("failed", sentence, error);
  }
}

function newName(fileName: string): string {
  const ending = /\.(zst|xz)$/.exec(fileName)?.[1] ?? "gz";
  return `${randomBytes(8).toString("hex")}.tar.${ending}`;
}

async function removeOld(folder: OpenFolder, now: number): Promise<void> {
  for (const name of await readdir(folder.at("."))) {
    if (!NAME.test(name.replace(UNFINISHED, ""))) continue;
    const found = await stat(folder.at(name)).catch(() => undefined);
    if (found && now - found.mtimeMs > MAX_AGE_MS) await rm(folder.at(name), { force: true });
  }
}

/** Holds back the first bytes until they show that this is a backup. */
async function* withCheckedHead(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (!head) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < HEAD_BYTES) continue;
    checkHead(head);
    yield head;
    head = undefined;
  }
  if (!head) return;
  checkHead(head);
  yield head;
}

/** The content of a file with its size. */
export async function* contentOf(file: FileHandle) {
  const { size } = await file.stat();
  const totalBytes = BigInt(size);
  if (size === 0) yield { data: new Uint8Array(), totalBytes };
  for await (const data of bytesOfFile(file)) yield { data, totalBytes };
}

import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statfsSync,
  statSync,
  symlinkSync,
  write,
} from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { isFileName, pathText } from "../../base/file-name.ts";
import { type AccountIds, sudoCaller } from "../../base/processes/sudo-caller.ts";
import { plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileEntry, FileItem } from "../../contract/tremplin/v1/guest_pb.js";
import { OpenFolder } from "./open-folder.ts";
import { cannotWrite } from "./own-error.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
/** Folders above are held open. A guest sends no deeper ones. */
const MAX_DEPTH = 250;
const writeTo = promisify(write);

interface Entered {
  readonly folder: OpenFolder;
  /** For people. */
  readonly path: string;
  /** Of a folder that this copy made: its final mode. */
  readonly mode: number | undefined;
}

interface Unfinished {
  readonly fd: number;
  readonly entry: FileEntry;
  readonly name: Uint8Array;
  readonly temporary: Buffer;
  bytes: number;
  isClosed: boolean;
}

/**
 * Writes items of a guest to this computer. The guest and its containers are not trusted: a name is a single one, a
 * folder is never entered through a link, nothing is open to more than the umask allows, and no file acts as another
 * user. A file gets its name when it is complete.
 */
export class OwnReceiver implements Disposable {
  files = 0;
  bytes = 0;
  /** The whole path that they get, or of the folder that they are put into. */
  readonly path: string;
  readonly #name: string | undefined;
  readonly #entered: Entered[];
  readonly #owner: AccountIds | undefined;
  readonly #umask = process.umask();
  readonly #mark = randomBytes(6).toString("hex");
  #file: Unfinished | undefined;
  #names = 0;
  #items = 0;

  private constructor(path: string, folder: OpenFolder, name: string | undefined) {
    this.path = path;
    this.#name = name;
    const shown = name === undefined ? path : dirname(path);
    this.#entered = [{ folder, path: shown, mode: undefined }];
    this.#owner = personIn(fstatSync(folder.fd));
  }

  /** Makes the missing folders. `intoFolder`: the path is a folder, also where it does not exist yet. */
  static async open(path: string, intoFolder: boolean): Promise<OwnReceiver> {
    const full = resolve(path);
    try {
      const found = statsOf(full);
      const isFolderMeant = intoFolder || path.endsWith("/");
      const isFolder = found ? found.isDirectory() : isFolderMeant;
      if (!isFolder && isFolderMeant) throw new TremplinError("failed", `${full} is no folder`);
      if (found && !isFolder && !found.isFile()) throw special(full);
      if (!found && lstatSync(full, { throwIfNoEntry: false })) {
        throw new TremplinError("failed", `${full} is a link to nothing: remove it, or name another place`);
      }
      // The file behind a link is replaced, not the link.
      const place = found?.isFile() ? realpathSync(full) : full;
      const folder = isFolder ? full : dirname(place);
      makeMissing(folder);
      return new OwnReceiver(place, OpenFolder.open(folder), isFolder ? undefined : basename(place));
    } catch (error) {
      throw await cannotWrite(full, error);
    }
  }

  /** Whether what comes next is no part of a folder. */
  get isAtTop(): boolean {
    return this.#entered.length === 1;
  }

  async take(item: FileItem["item"]): Promise<void> {
    const path = this.#shownPath();
    try {
      if (this.#file && item.case !== "data" && item.case !== "end" && item.case !== "skipped")
        throw broken();
      if (item.case === "folder") this.#enter(item.value);
      else if (item.case === "file") this.#begin(item.value);
      else if (item.case === "link") this.#link(item.value);
      else if (item.case === "data") await this.#add(item.value);
      else if (item.case === "end" && this.#file) this.#complete(this.#file);
      else if (item.case === "end") this.#leave();
      else this.#drop();
    } catch (error) {
      const name =
        "value" in item && typeof item.value === "object" && "name" in item.value
          ? item.value.name
          : undefined;
      throw await cannotWrite(name ? `${path}/${pathText(name)}` : path, error, this.#size());
    }
  }

  /** Throws where the items ended in the middle. */
  finish(): void {
    if (this.#file || this.#entered.length > 1) throw broken();
  }

  [Symbol.dispose](): void {
    this.#drop();
    for (const { folder } of this.#entered.splice(0)) folder[Symbol.dispose]();
  }

  get #at(): Entered {
    return this.#entered.at(-1) as Entered;
  }

  #enter(entry: FileEntry): void {
    if (this.#entered.length > MAX_DEPTH)
      throw new TremplinError("failed", "the guest sent folders without end");
    const name = this.#nameOf(entry);
    const { folder, path } = this.#at;
    const isMade = makeFolder(folder.path(name));
    const child = folder.openChild(name);
    if (isMade && this.#owner) fchownSync(child.fd, this.#owner.uid, this.#owner.gid);
    const mode = isMade ? this.#modeOf(entry) | 0o700 : undefined;
    this.#entered.push({ folder: child, path: `${path}/${pathText(name)}`, mode });
  }

  #leave(): void {
    const left = this.#entered.length > 1 ? this.#entered.pop() : undefined;
    if (!left) throw broken();
    using folder = left.folder;
    if (left.mode !== undefined) fchmodSync(folder.fd, left.mode);
  }

  #begin(entry: FileEntry): void {
    const name = this.#nameOf(entry);
    const temporary = this.#at.folder.path(this.#temporary());
    const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    this.#file = { fd, entry, name, temporary, bytes: 0, isClosed: false };
    // A container can make a file of any size that takes nothing there, and its zeros would fill this disk.
    const { bavail, bsize, blocks } = statfsSync(this.#at.folder.path(Buffer.from(".")));
    if (blocks > 0 && bavail * bsize < Number(entry.size)) {
      throw Object.assign(new Error("no space is left for it"), { code: "ENOSPC" });
    }
  }

  async #add(data: Uint8Array): Promise<void> {
    const file = this.#file;
    if (!file) throw broken();
    for (let from = 0; from < data.length; ) {
      const { bytesWritten } = await writeTo(file.fd, data, from, data.length - from, file.bytes);
      from += bytesWritten;
      file.bytes += bytesWritten;
      this.bytes += bytesWritten;
    }
  }

  #complete(file: Unfinished): void {
    const { fd, entry, name, temporary } = file;
    const modified = Number(entry.modifiedSeconds);
    if (this.#owner) fchownSync(fd, this.#owner.uid, this.#owner.gid);
    fchmodSync(fd, this.#modeOf(entry));
    futimesSync(fd, modified, modified);
    // A file system of a network may say only then that it has no space.
    file.isClosed = true;
    closeSync(fd);
    this.#replace(temporary, name);
    this.#file = undefined;
    this.files++;
  }

  #link(entry: FileEntry): void {
    const name = this.#nameOf(entry);
    const { folder } = this.#at;
    const temporary = folder.path(this.#temporary());
    symlinkSync(Buffer.from(entry.target), temporary);
    try {
      if (this.#owner) lchownSync(temporary, this.#owner.uid, this.#owner.gid);
      this.#replace(temporary, name);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    this.files++;
  }

  /** Gives a name to what has a temporary one, in the place of a file or link. */
  #replace(temporary: Buffer, name: Uint8Array): void {
    const { folder, path } = this.#at;
    const there = lstatSync(folder.path(name), { throwIfNoEntry: false });
    if (there && !there.isFile() && !there.isSymbolicLink() && !there.isDirectory())
      throw special(`${path}/${pathText(name)}`);
    renameSync(temporary, folder.path(name));
  }

  /** Removes a file that is not complete. */
  #drop(): void {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    if (!file.isClosed) closeSync(file.fd);
    rmSync(file.temporary, { force: true });
  }

  #nameOf(entry: FileEntry): Uint8Array {
    if (!isFileName(entry.name))
      throw new TremplinError("failed", "the guest sent a name that no file can have");
    if (this.#entered.length > 1 || this.#name === undefined) return entry.name;
    if (this.#items++ > 0) throw broken();
    return Buffer.from(this.#name);
  }

  #modeOf({ mode }: FileEntry): number {
    return mode & 0o777 & ~this.#umask;
  }

  #temporary(): Buffer {
    return Buffer.from(`.tremplin-${this.#mark}-${++this.#names}.unfinished`);
  }

  #shownPath(): string {
    return this.#file ? `${this.#at.path}/${pathText(this.#file.name)}` : this.#at.path;
  }

  #size(): number {
    return Math.max(this.#file?.bytes ?? 0, Number(this.#file?.entry.size ?? 0));
  }
}

/** Under sudo, what is put into a folder of the person is theirs. */
function personIn(folder: Stats): AccountIds | undefined {
  const caller = sudoCaller();
  return caller?.uid === folder.uid ? caller : undefined;
}

function makeMissing(folder: string): void {
  const first = mkdirSync(folder, { recursive: true });
  const person = first && personIn(statSync(dirname(first)));
  if (!person) return;
  for (let made = folder; made.startsWith(first); made = dirname(made))
    lchownSync(made, person.uid, person.gid);
}

/** False where something is there. */
function makeFolder(path: Buffer): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function statsOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function special(path: string): TremplinError {
  const sentence = `${plainText(path)} is a pipe, a socket or a device, and would be replaced: choose another name, or move it away`;
  return new TremplinError("failed", sentence);
}

function broken(): TremplinError {
  return new TremplinError("failed", "the guest sent a tree of files that makes no sense; copy again");
}

import { randomBytes } from "node:crypto";
import { isFileName, pathText } from "../../base/file-name.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileEntry, FileItem } from "../../contract/tremplin/v1/guest_pb.js";
import type { FileSession, NodeInfo } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { decodeLatin1, displayText } from "../guest/lossless-text.ts";
import { fileError } from "./file-error.ts";
import type { Ids } from "./place.ts";
import { MAX_DEPTH } from "./send-tree.ts";
import { UnfinishedFile } from "./unfinished-file.ts";

/** How many files are written at the same time: each takes several requests to the engine. */
const FILES_AT_A_TIME = 32;
/** A file that is larger is written while it comes; a smaller one when it is complete, beside others. */
const SMALL_BYTES = 128 * 1024;

export interface Target {
  readonly container: string;
  /** The folder that gets the items; latin1. */
  readonly folder: string;
  /** What the one item is called there. Default: as it says. */
  readonly name?: string | undefined;
  /** Of what is new. */
  readonly person: Ids;
  /** Of everything. Default: what is replaced keeps its owner. */
  readonly owner?: Ids | undefined;
}

/** A folder of the container that is being filled. */
interface Folder {
  readonly path: string;
  /** This call made it, so nothing can be in the way. */
  readonly isNew: boolean;
}

/** Where an item goes. */
interface Place {
  readonly path: string;
  readonly entry: FileEntry;
  /** Nothing can be in the way. */
  readonly isNew: boolean;
}

interface IncomingFile extends Place {
  chunks: Uint8Array[];
  bytes: number;
  writing: UnfinishedFile | undefined;
}

/**
 * Writes items into a container. A file gets its name when it is complete: what ends this before leaves whole files
 * only. `discard` removes the rest.
 */
export class TreeReceiver {
  /** Files and links that are complete, or being completed. */
  files = 0;
  bytes = 0;
  readonly #session: FileSession;
  readonly #target: Target;
  readonly #folders: Folder[];
  readonly #mark = randomBytes(6).toString("hex");
  readonly #running = new Set<Promise<void>>();
  #file: IncomingFile | undefined;
  #failure: unknown;
  #items = 0;
  #names = 0;

  constructor(session: FileSession, target: Target) {
    this.#session = session;
    this.#target = target;
    this.#folders = [{ path: target.folder, isNew: false }];
  }

  /** Throws what went wrong with this item or one before. */
  async take({ item }: FileItem): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#file && item.case !== "data" && item.case !== "end" && item.case !== "skipped") {
      throw new TremplinError("invalid", "an item came before the end of a file");
    }
    switch (item.case) {
      case "folder":
        return await this.#enter(item.value);
      case "file":
        this.#file = { ...this.#placeOf(item.value), chunks: [], bytes: 0, writing: undefined };
        return;
      case "link":
        return await this.#run(this.#link(this.#placeOf(item.value)));
      case "data":
        return await this.#add(item.value);
      case "end":
        return this.#file ? await this.#endFile(this.#file) : this.#leave();
      case "skipped":
        return await this.#dropFile();
    }
  }

  /** Resolves when all is written. Throws `invalid` in the middle of a tree. */
  async finish(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failure) throw this.#failure;
    if (this.#file || this.#folders.length > 1) throw new TremplinError("invalid", "the tree has no end");
  }

  /** Waits for what runs, and removes what is not complete. */
  async discard(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#dropFile().catch(() => undefined);
  }

  async #enter(entry: FileEntry): Promise<void> {
    const { path, isNew } = this.#placeOf(entry);
    if (this.#folders.length > MAX_DEPTH) {
      throw new TremplinError("failed", `${displayText(path)} is more than ${MAX_DEPTH} folders deep`);
    }
    const { owner, person } = this.#target;
    const made = this.#session.mkdir(path, { ...(owner ?? person), mode: entry.mode | 0o700 });
    const isMade = await made.then(
      () => true,
      async (error) => {
        const there = isNew ? undefined : await this.#session.lstat(path).catch(() => undefined);
        if (there?.type === "directory") return false;
        if (there) throw this.#inTheWay(path, "no folder, and would be replaced by one");
        throw await this.#explain(error, path);
      },
    );
    this.#folders.push({ path, isNew: isMade });
  }

  #leave(): void {
    if (this.#folders.length === 1) throw new TremplinError("invalid", "an end without a folder");
    this.#folders.pop();
  }

  async #add(data: Uint8Array): Promise<void> {
    const file = this.#file;
    if (!file) throw new TremplinError("invalid", "data without a file");
    file.bytes += data.length;
    this.bytes += data.length;
    file.chunks.push(data);
    if (!file.writing && file.bytes <= SMALL_BYTES) return;
    try {
      file.writing ??= await this.#open(file);
      for (const chunk of file.chunks.splice(0)) await file.writing.write(chunk);
    } catch (error) {
      throw await this.#explain(error, file.path, Math.max(file.bytes, Number(file.entry.size)));
    }
  }

  async #endFile(file: IncomingFile): Promise<void> {
    this.#file = undefined;
    this.files++;
    if (file.writing) await this.#complete(file);
    else await this.#run(this.#complete(file));
  }

  async #complete(file: IncomingFile): Promise<void> {
    const { entry, path } = file;
    const writing =
      file.writing ?? (await this.#open(file).catch((error) => this.#fail(error, path, file.bytes)));
    try {
      for (const chunk of file.chunks) await writing.write(chunk);
      await writing.complete(path, Number(entry.modifiedSeconds));
    } catch (error) {
      await writing.discard();
      await this.#fail(error, path, file.bytes);
    }
  }

  /** Its mode and owner are set before anything is in it. */
  async #open({ path, isNew, entry }: IncomingFile): Promise<UnfinishedFile> {
    const { owner, person } = this.#target;
    const there = await this.#findReplaced({ path, isNew });
    const kept = there?.type === "file" ? { uid: there.uid, gid: there.gid } : undefined;
    const ids = owner ?? kept ?? person;
    return await UnfinishedFile.open(this.#session, this.#temporary(path), { ...ids, mode: entry.mode });
  }

  /** What a file or link replaces. Throws for what nobody means to replace. */
  async #findReplaced({ path, isNew }: Pick<Place, "path" | "isNew">): Promise<NodeInfo | undefined> {
    const there = isNew ? undefined : await this.#session.lstat(path).catch(ifMissing);
    if (there?.type !== "special") return there;
    throw this.#inTheWay(path, "a pipe, a socket or a device, and would be replaced");
  }

  async #link({ path, entry, isNew }: Place): Promise<void> {
    this.files++;
    const temporary = this.#temporary(path);
    try {
      await this.#findReplaced({ path, isNew });
      await this.#session.symlink(temporary, decodeLatin1(entry.target));
      await this.#session.rename(temporary, path);
    } catch (error) {
      await this.#session.remove(temporary).catch(() => undefined);
      await this.#fail(error, path, 0);
    }
  }

  async #dropFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.writing?.discard();
  }

  /** Lets some work go on beside what comes next. What it throws is thrown later. */
  async #run(work: Promise<void>): Promise<void> {
    const running = work.catch((error) => {
      this.#failure ??= error;
    });
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
    if (this.#running.size >= FILES_AT_A_TIME) await Promise.race(this.#running);
  }

  /** Where an item goes. Throws `invalid` for a name that leads elsewhere. */
  #placeOf(entry: FileEntry): Place {
    if (!isFileName(entry.name)) {
      throw new TremplinError("invalid", `"${pathText(entry.name)}" cannot be the name of a file`);
    }
    const folder = this.#folders.at(-1) as Folder;
    const isFirst = this.#folders.length === 1;
    if (isFirst && this.#items++ > 0 && this.#target.name !== undefined) {
      throw new TremplinError("invalid", "several items cannot get one name");
    }
    const name = (isFirst ? this.#target.name : undefined) ?? decodeLatin1(entry.name);
    return { path: `${folder.path === "/" ? "" : folder.path}/${name}`, entry, isNew: folder.isNew };
  }

  #temporary(path: string): string {
    return `${path.slice(0, path.lastIndexOf("/"))}/.tremplin-${this.#mark}-${++this.#names}.unfinished`;
  }

  #inTheWay(path: string, what: string): TremplinError {
    const sentence = `${displayText(path)} in ${this.#target.container} is ${what}: choose another name, or move it away`;
    return new TremplinError("failed", sentence);
  }

  async #fail(error: unknown, path: string, bytes: number): Promise<never> {
    throw await this.#explain(error, path, bytes);
  }

  async #explain(error: unknown, path: string, bytes = 0): Promise<TremplinError> {
    const there = await this.#session.lstat(path).catch(() => undefined);
    if (there?.type === "directory") return this.#inTheWay(path, "a folder, and would be replaced by a file");
    const { container } = this.#target;
    return await fileError(error, this.#session, { container, path, verb: "written", bytes });
  }
}

import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { TremplinError } from "../base/tremplin-error.ts";
import { apiPath } from "./api-path.ts";
import { BoundedBody } from "./bounded-body.ts";
import type { Dialect } from "./dialect.ts";
import type { EngineHttp, EngineRequest } from "./engine-http.ts";
import type { FileHelper } from "./file-helper.ts";
import type { Options } from "./options.ts";
import { refusalOf } from "./reply.ts";
import { TimeLimit } from "./time-limit.ts";

export type FileType = "file" | "directory" | "symlink";

/** A file in an instance, with ids and mode as the instance sees them. */
export interface FileInfo {
  /** Anything that is none of the three, a pipe for one, is called a `file` by the engine. */
  readonly type: FileType;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface FileOwner {
  /** Default 0, 0, and 0644 (directory 0755). */
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
}

/** How long the engine may take over one access to a file, in milliseconds. */
const accessLimit = 15_000;

export interface OpenOptions extends Options {
  /** `failed` beyond. Default: no bound. */
  readonly maxBytes?: number;
  /** Milliseconds for the first byte, and for each next one while the reader waits. Default 15 s. */
  readonly timeLimit?: number;
}

export interface GetOptions extends Options {
  /** `failed` beyond. Default 1 MiB. */
  readonly maxBytes?: number;
  /** Milliseconds for the whole file. Default 15 s. */
  readonly timeLimit?: number;
}

export interface PutOptions extends Options, FileOwner {
  /** Milliseconds, from the last piece of the content on. Default 15 s. */
  readonly timeLimit?: number;
}

/**
 * Files inside an instance, running or stopped. The engine confines every path to the instance. A path is
 * absolute; a link in it is followed inside the instance, except where it is the path's last part.
 *
 * Whoever is root in the instance may have planted a pipe, or a file without an end, at any path. So every
 * access has a limit, and one that does not come to its end is cut off where it hangs (see FileHelper).
 */
export class InstanceFiles {
  readonly #http: EngineHttp;
  readonly #dialect: Dialect;
  readonly #helper: FileHelper;

  constructor(http: EngineHttp, dialect: Dialect, helper: FileHelper) {
    this.#http = http;
    this.#dialect = dialect;
    this.#helper = helper;
  }

  async stat(instance: string, path: string, { signal }: Options = {}): Promise<FileInfo> {
    const answer = await this.#bounded(instance, path, { signal, timeLimit: accessLimit }, true, (bounds) =>
      this.#http.open(request("HEAD", instance, path, bounds)),
    );
    answer.resume();
    return this.#info(answer);
  }

  /** A whole file. Throws `failed` for a directory or a link, and beyond its limits. */
  async get(
    instance: string,
    path: string,
    options: GetOptions = {},
  ): Promise<FileInfo & { content: Buffer }> {
    const { maxBytes = 1024 * 1024, timeLimit = accessLimit, signal } = options;
    using limit = new TimeLimit(timeLimit, () => tooLate(instance, path, timeLimit), [signal]);
    const { content, ...info } = await this.open(instance, path, {
      maxBytes,
      timeLimit,
      signal: limit.signal,
    });
    return { ...info, content: Buffer.concat(await content.toArray()) };
  }

  /** A file as a stream, to be read or destroyed. Throws `failed` for a directory or a link. */
  async open(
    instance: string,
    path: string,
    options: OpenOptions = {},
  ): Promise<FileInfo & { content: Readable }> {
    const { info, body } = await this.#read(instance, path, options);
    if (info.type === "file") return { ...info, content: body };
    body.destroy();
    throw new TremplinError("failed", `${path} in ${instance} is a ${info.type}, not a file`);
  }

  /** Where a symbolic link points; the engine makes a relative target absolute. */
  async readlink(instance: string, path: string, { signal }: Options = {}): Promise<string> {
    const { info, body } = await this.#read(instance, path, { signal, maxBytes: 64 * 1024 });
    if (info.type === "symlink") return text(body);
    body.destroy();
    throw new TremplinError("failed", `${path} in ${instance} is a ${info.type}, not a symbolic link`);
  }

  /** The names in a directory. Throws `failed` for anything else. */
  async list(instance: string, path: string, options: Options = {}): Promise<string[]> {
    const { info, body } = await this.#read(instance, path, { ...options, maxBytes: 64 * 1024 * 1024 });
    if (info.type === "directory") return (JSON.parse(await text(body)).metadata as string[] | null) ?? [];
    body.destroy();
    throw new TremplinError("failed", `${path} in ${instance} is a ${info.type}, not a directory`);
  }

  /** Writes a file, created or overwritten. Its folder must be there. */
  async put(
    instance: string,
    path: string,
    content: Buffer | string | Readable,
    options: PutOptions = {},
  ): Promise<void> {
    await this.#post("file", instance, path, options, content);
  }

  /** Makes a directory; one that is there already is left as it is. Its parent must be there. */
  async mkdir(instance: string, path: string, options: Options & FileOwner = {}): Promise<void> {
    await this.#post("directory", instance, path, { mode: 0o755, ...options }, "");
  }

  async symlink(
    instance: string,
    path: string,
    target: string,
    options: Options & FileOwner = {},
  ): Promise<void> {
    await this.#post("symlink", instance, path, options, target);
  }

  /** Deletes a file, a link or an empty directory. Throws `not-found` if nothing is there. */
  async delete(instance: string, path: string, { signal }: Options = {}): Promise<void> {
    await this.#bounded(instance, path, { signal, timeLimit: accessLimit }, true, (bounds) =>
      this.#http.call(request("DELETE", instance, path, bounds)),
    );
  }

  async #read(
    instance: string,
    path: string,
    options: OpenOptions,
  ): Promise<{ info: FileInfo; body: Readable }> {
    const limits = { timeLimit: accessLimit, ...options };
    const answer = await this.#bounded(instance, path, limits, true, (bounds) =>
      this.#http.open(request("GET", instance, path, bounds)),
    );
    const body = new BoundedBody(answer, { ...limits, abandoned: () => this.#helper.kill(instance) });
    return { info: this.#info(answer), body };
  }

  async #post(
    type: FileType,
    instance: string,
    path: string,
    { signal, timeLimit = accessLimit, uid = 0, gid = 0, mode = 0o644 }: PutOptions,
    content: Buffer | string | Readable,
  ): Promise<void> {
    const octal = mode.toString(8).padStart(4, "0");
    const headers = {
      "content-type": "application/octet-stream",
      ...this.#dialect.headers({ type, uid, gid, mode: octal, write: "overwrite" }),
    };
    const repeatable = !(content instanceof Readable);
    await this.#bounded(instance, path, { signal, timeLimit }, repeatable, (bounds) =>
      this.#http.call({ ...request("POST", instance, path, bounds), headers, raw: content }),
    );
  }

  async #bounded<T>(
    instance: string,
    path: string,
    { signal, timeLimit }: { signal?: AbortSignal | undefined; timeLimit: number },
    repeatable: boolean,
    access: (bounds: Pick<EngineRequest, "signal" | "timeLimit" | "late">) => Promise<T>,
  ): Promise<T> {
    const bounds = { signal, timeLimit, late: () => tooLate(instance, path, timeLimit) };
    try {
      return await access(bounds);
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal) this.#helper.kill(instance);
      if (!refusal || !repeatable || !this.#helper.died(refusal.words)) throw error;
      return access(bounds);
    }
  }

  #info(answer: IncomingMessage): FileInfo {
    const header = (key: string) => this.#dialect.header(answer.headers, key);
    return {
      type: header("type") as FileType,
      uid: Number(header("uid")),
      gid: Number(header("gid")),
      mode: Number.parseInt(header("mode") ?? "", 8),
    };
  }
}

function request(
  method: EngineRequest["method"],
  instance: string,
  path: string,
  bounds: Pick<EngineRequest, "signal" | "timeLimit" | "late">,
): EngineRequest {
  return { method, path: `${apiPath("instances", instance)}/files`, query: { path }, ...bounds };
}

function tooLate(instance: string, path: string, milliseconds: number): TremplinError {
  const sentence = `${path} in ${instance} could not be read or written within ${milliseconds / 1000} s`;
  return new TremplinError("failed", `${sentence}: it may be a pipe, or have no end`);
}

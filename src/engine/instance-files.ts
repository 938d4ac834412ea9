import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { TremplinError } from "../base/tremplin-error.ts";
import { apiPath } from "./api-path.ts";
import { boundedBody } from "./bounded-body.ts";
import type { Dialect } from "./dialect.ts";
import type { EngineHttp, EngineRequest } from "./engine-http.ts";
import type { Options } from "./options.ts";

export type FileType = "file" | "directory" | "symlink";

/** A file in an instance, with ids and mode as the instance sees them. */
export interface FileInfo {
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

export interface GetOptions extends Options {
  /** Default 1 MiB; `failed` beyond. */
  readonly maxBytes?: number;
  /** Milliseconds for the engine's first byte, and for each next one. Default 60 s. */
  readonly timeLimit?: number;
}

/**
 * Files inside an instance, running or stopped. The engine confines every path to the instance. A path is
 * absolute; a link in it is followed inside the instance, except where it is the path's last part.
 */
export class InstanceFiles {
  readonly #http: EngineHttp;
  readonly #dialect: Dialect;

  constructor(http: EngineHttp, dialect: Dialect) {
    this.#http = http;
    this.#dialect = dialect;
  }

  async stat(instance: string, path: string, { signal }: Options = {}): Promise<FileInfo> {
    const answer = await this.#http.open(request("HEAD", instance, path, { signal }));
    answer.resume();
    return this.#info(answer);
  }

  /** A whole file. Throws `failed` for a directory or a link, and beyond `maxBytes`. */
  async get(
    instance: string,
    path: string,
    options: GetOptions = {},
  ): Promise<FileInfo & { content: Buffer }> {
    const { maxBytes = 1024 * 1024 } = options;
    const { content, ...info } = await this.open(instance, path, { ...options, maxBytes });
    return { ...info, content: await collect(content, path) };
  }

  /** A file as a stream, to be read or destroyed. Throws `failed` for a directory or a link. */
  async open(
    instance: string,
    path: string,
    options: GetOptions = {},
  ): Promise<FileInfo & { content: Readable }> {
    const { info, body } = await this.#read(instance, path, options);
    if (info.type === "file") return { ...info, content: body };
    body.destroy();
    throw new TremplinError("failed", `${path} in ${instance} is a ${info.type}, not a file`);
  }

  /** Where a symbolic link points. */
  async readlink(instance: string, path: string, options: Options = {}): Promise<string> {
    const { info, body } = await this.#read(instance, path, { ...options, maxBytes: 64 * 1024 });
    if (info.type === "symlink") return (await collect(body, path)).toString();
    body.destroy();
    throw new TremplinError("failed", `${path} in ${instance} is a ${info.type}, not a symbolic link`);
  }

  /** The names in a directory. */
  async list(instance: string, path: string, { signal }: Options = {}): Promise<string[]> {
    const { metadata } = await this.#http.call<string[] | null>(request("GET", instance, path, { signal }));
    return metadata ?? [];
  }

  /** Writes a file, created or overwritten. Its folder must be there. */
  async put(
    instance: string,
    path: string,
    content: Buffer | string | Readable,
    options: Options & FileOwner = {},
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
    await this.#http.call(request("DELETE", instance, path, { signal }));
  }

  async #read(
    instance: string,
    path: string,
    options: GetOptions,
  ): Promise<{ info: FileInfo; body: Readable }> {
    const { signal, timeLimit } = options;
    const answer = await this.#http.open(request("GET", instance, path, { signal, timeLimit }));
    return { info: this.#info(answer), body: boundedBody(answer, options) };
  }

  async #post(
    type: FileType,
    instance: string,
    path: string,
    { signal, uid = 0, gid = 0, mode = 0o644 }: Options & FileOwner,
    content: Buffer | string | Readable,
  ): Promise<void> {
    const octal = mode.toString(8).padStart(4, "0");
    const headers = {
      "content-type": "application/octet-stream",
      ...this.#dialect.headers({ type, uid, gid, mode: octal, write: "overwrite" }),
    };
    await this.#http.call({ ...request("POST", instance, path, { signal }), headers, raw: content });
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
  options: Pick<EngineRequest, "signal" | "timeLimit">,
): EngineRequest {
  return { method, path: `${apiPath("instances", instance)}/files`, query: { path }, ...options };
}

async function collect(content: Readable, path: string): Promise<Buffer> {
  try {
    return Buffer.concat(await content.toArray());
  } catch (error) {
    const { code, message } = TremplinError.from(error);
    throw new TremplinError(code, `reading ${path}: ${message}`, error);
  }
}

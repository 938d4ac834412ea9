import { Readable } from "node:stream";
import { TremplinError } from "../../base/tremplin-error.ts";
import { engineHeaders, type Flavor } from "../flavors/flavor.ts";
import { apiPath } from "../http/api-path.ts";
import { BoundedBody } from "../http/bounded-body.ts";
import type { EngineHttp, EngineRequest } from "../http/engine-http.ts";
import { multipart } from "../http/multipart.ts";
import { type Options, type ProjectOptions, projectQuery } from "../http/options.ts";
import { getVersioned } from "../http/versioned.ts";
import type { EngineOperation } from "../operations/engine-operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Operations } from "../operations/operations.ts";
import type { Config } from "./pools.ts";

export interface ImageAlias {
  readonly name: string;
  readonly description: string;
}

/** What of an image can be written. */
export interface ImageUpdate {
  readonly auto_update: boolean;
  readonly expires_at: string;
  readonly profiles: readonly string[] | null;
  readonly properties: Config;
  readonly public: boolean;
}

export interface Image extends ImageUpdate {
  /** SHA-256 of the uploaded file, or of metadata and rootfs one after the other. */
  readonly fingerprint: string;
  readonly aliases: readonly ImageAlias[] | null;
  readonly architecture: string;
  readonly filename: string;
  /** Where the engine has it from and looks for newer ones. */
  readonly update_source?: { readonly server: string; readonly alias: string } | null;
  /** Bytes, packed. */
  readonly size: number;
  /** Whether the engine fetched it by itself, for a container, and removes it when it was not used for long. */
  readonly cached: boolean;
  readonly created_at: string;
  readonly uploaded_at: string;
}

export interface UploadOptions extends ProjectOptions {
  /** Called with the bytes sent so far, counted here (the engine tells nothing: engines.md 2.1). */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  /** Properties of the image besides those that it brings; its instances get them as config `image.KEY`. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface UploadedImage {
  readonly fingerprint: string;
  /** Whether the engine had it already, from whomever: then it is not ours to delete. */
  readonly existed: boolean;
}

export interface PublishRequest {
  readonly instance: string;
  readonly snapshot: string;
  /** A name for the image that is there from the instant that the image is. */
  readonly alias: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** The engine's images. */
export class Images {
  readonly #http: EngineHttp;
  readonly #operations: Operations;
  readonly #flavor: Flavor;

  constructor(http: EngineHttp, operations: Operations, flavor: Flavor) {
    this.#http = http;
    this.#operations = operations;
    this.#flavor = flavor;
  }

  /** By fingerprint or a unique beginning of it. */
  async get(fingerprint: string, options: ProjectOptions = {}): Promise<Image> {
    return (await getVersioned<Image>(this.#http, apiPath("images", fingerprint), options)).value;
  }

  async list(options: ProjectOptions = {}): Promise<Image[]> {
    const query = { recursion: "1", ...projectQuery(options) };
    const { signal } = options;
    return (await this.#http.call<Image[]>({ method: "GET", path: apiPath("images"), query, signal }))
      .metadata;
  }

  /** Writes all of an image that can be written. */
  async update(fingerprint: string, body: ImageUpdate, options: ProjectOptions = {}): Promise<void> {
    const path = apiPath("images", fingerprint);
    const query = projectQuery(options);
    await this.#http.call({ method: "PUT", path, query, body, signal: options.signal });
  }

  async delete(fingerprint: string, options: ProjectOptions = {}): Promise<void> {
    const path = apiPath("images", fingerprint);
    const query = projectQuery(options);
    await this.#operations.run({ method: "DELETE", path, query, signal: options.signal });
  }

  /** The fingerprint that an alias names. */
  async resolve(alias: string, { signal }: Options = {}): Promise<string> {
    const path = apiPath("images", "aliases", alias);
    return (await this.#http.call<{ target: string }>({ method: "GET", path, signal })).metadata.target;
  }

  /** Throws `exists` if there is one of that name. */
  async addAlias(
    alias: string,
    fingerprint: string,
    { description = "", ...options }: ProjectOptions & { readonly description?: string } = {},
  ): Promise<void> {
    const body = { name: alias, target: fingerprint, description };
    const query = projectQuery(options);
    const path = apiPath("images", "aliases");
    await this.#http.call({ method: "POST", path, query, body, signal: options.signal });
  }

  async deleteAlias(alias: string, { signal }: Options = {}): Promise<void> {
    await this.#http.call({ method: "DELETE", path: apiPath("images", "aliases", alias), signal });
  }

  /** Uploads one file that holds metadata.yaml and rootfs (a backup). `name` is only for people. */
  async upload(name: string, file: Readable, options: UploadOptions = {}): Promise<UploadedImage> {
    const headers = {
      "content-type": "application/octet-stream",
      ...engineHeaders(this.#flavor, { filename: name, properties: propertiesOf(options) }),
    };
    return this.#upload([file], { headers, raw: Readable.from(counting(options)(file)) }, options);
  }

  /** Uploads an image whose metadata and rootfs are two files. The engine wants them in this order. */
  async uploadSplit(
    metadata: Readable,
    rootfs: Readable,
    options: UploadOptions = {},
  ): Promise<UploadedImage> {
    const counted = counting(options);
    const { contentType, body } = multipart({ metadata: counted(metadata), rootfs: counted(rootfs) });
    const headers = {
      "content-type": contentType,
      ...engineHeaders(this.#flavor, { properties: propertiesOf(options) }),
    };
    return this.#upload([metadata, rootfs], { headers, raw: body }, options);
  }

  /** Makes an image, not packed, of a snapshot. The operation tells its fingerprint (see fingerprintOf). */
  async publish(
    { instance, snapshot, alias, properties }: PublishRequest,
    { signal }: Options = {},
  ): Promise<EngineOperation> {
    const body = {
      source: { type: "snapshot", name: `${instance}/${snapshot}` },
      aliases: [{ name: alias }],
      compression_algorithm: "none",
      properties,
    };
    return this.#operations.start({ method: "POST", path: apiPath("images"), body, signal });
  }

  /** The file of an image that is one file. The caller reads it to its end or destroys it. */
  async download(fingerprint: string, { signal }: Options = {}): Promise<Readable> {
    const path = `${apiPath("images", fingerprint)}/export`;
    const limits = { signal };
    return new BoundedBody(await this.#http.open({ method: "GET", path, signal }), limits);
  }

  /** Waits for uploads whose sender is gone: when their body had arrived the engine still makes images of them. */
  async settleUploads({ signal }: Options = {}): Promise<void> {
    for (const operation of await this.#operations.uploads({ signal })) {
      await operation.wait({ signal }).catch((error) => {
        if (TremplinError.from(error).code === "unavailable") throw error;
      });
    }
  }

  async #upload(
    sources: readonly Readable[],
    content: Pick<EngineRequest, "headers" | "raw">,
    options: UploadOptions,
  ): Promise<UploadedImage> {
    try {
      const done = await this.#operations.run({
        method: "POST",
        path: apiPath("images"),
        query: projectQuery(options),
        signal: options.signal,
        ...content,
      });
      return { fingerprint: fingerprintOf(done), existed: false };
    } catch (error) {
      if (!(error instanceof TremplinError) || error.code !== "exists") throw error;
      // Of two uploads of the same at once, LXD tells the second only that, and not which image.
      if (!(error.cause as Operation).metadata?.fingerprint) throw error;
      return { fingerprint: fingerprintOf(error.cause as Operation), existed: true };
    } finally {
      for (const source of sources) source.destroy();
    }
  }
}

function propertiesOf({ properties = {} }: UploadOptions): string | undefined {
  return Object.keys(properties).length > 0 ? new URLSearchParams(properties).toString() : undefined;
}

/** Passes streams on and tells the sum of what went through all of them. */
function counting({ onProgress }: UploadOptions): (stream: Readable) => AsyncGenerator<Buffer> {
  let bytes = 0;
  return async function* (stream) {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      yield chunk;
      bytes += chunk.length;
      onProgress?.(bytes);
    }
  };
}

/** The fingerprint of the image that an operation made. */
export function fingerprintOf(operation: Operation): string {
  const fingerprint = operation.metadata?.fingerprint;
  if (typeof fingerprint === "string") return fingerprint;
  throw new TremplinError("failed", "the engine took the image but did not tell its fingerprint", operation);
}

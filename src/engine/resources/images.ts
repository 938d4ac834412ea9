import { Readable } from "node:stream";
import { isUnavailable, TremplinError } from "../../base/tremplin-error.ts";
import { engineHeaders, type Flavor } from "../flavors/flavor.ts";
import { apiPath } from "../http/api-path.ts";
import { BoundedBody } from "../http/bounded-body.ts";
import { type CallOptions, type ProjectOptions, projectQuery } from "../http/call-options.ts";
import type { EngineHttp, EngineRequest } from "../http/engine-http.ts";
import { multipart } from "../http/multipart.ts";
import { getVersioned } from "../http/versioned.ts";
import type { EngineOperation } from "../operations/engine-operation.ts";
import type { OperationRecord } from "../operations/operation-record.ts";
import type { OperationsApi } from "../operations/operations-api.ts";
import type { Config } from "./pools.ts";

export interface ImageAlias {
  readonly name: string;
  readonly description: string;
}

/** The writable part of an image. */
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
  /** The server that the engine downloaded it from and updates it from. */
  readonly update_source?: { readonly server: string; readonly alias: string } | null;
  /** Bytes, compressed. */
  readonly size: number;
  /** Whether the engine downloaded it by itself for a container, and removes it when it has not been used for long. */
  readonly cached: boolean;
  readonly created_at: string;
  readonly uploaded_at: string;
}

export interface UploadOptions extends ProjectOptions {
  /** Called with the number of bytes sent so far; the engine itself reports no progress (docs/engines.md#images). */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  /** Added to the properties in the image; its instances get them as config `image.KEY`. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface UploadedImage {
  readonly fingerprint: string;
  /** Whether the engine already had it: then it is not the caller's to delete. */
  readonly existed: boolean;
}

export interface PublishRequest {
  readonly instance: string;
  readonly snapshot: string;
  /** A name that the image has from its beginning. */
  readonly alias: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** The engine's images. */
export class Images {
  readonly #http: EngineHttp;
  readonly #operations: OperationsApi;
  readonly #flavor: Flavor;

  constructor(http: EngineHttp, operations: OperationsApi, flavor: Flavor) {
    this.#http = http;
    this.#operations = operations;
    this.#flavor = flavor;
  }

  /** Takes a fingerprint or a unique prefix of one. */
  async get(fingerprint: string, options: ProjectOptions = {}): Promise<Image> {
    return (await getVersioned<Image>(this.#http, apiPath("images", fingerprint), options)).value;
  }

  async list(options: ProjectOptions = {}): Promise<Image[]> {
    const query = { recursion: "1", ...projectQuery(options) };
    const { signal } = options;
    return (await this.#http.call<Image[]>({ method: "GET", path: apiPath("images"), query, signal }))
      .metadata;
  }

  /** Writes the whole writable part of an image. */
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

  /** The fingerprint of an alias. */
  async resolve(alias: string, { signal }: CallOptions = {}): Promise<string> {
    const path = apiPath("images", "aliases", alias);
    return (await this.#http.call<{ target: string }>({ method: "GET", path, signal })).metadata.target;
  }

  /** Throws `exists` if the alias exists. */
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

  async deleteAlias(alias: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#http.call({ method: "DELETE", path: apiPath("images", "aliases", alias), signal });
  }

  /** Uploads one file that contains metadata.yaml and rootfs (a backup). `name` is only for people. */
  async upload(name: string, file: Readable, options: UploadOptions = {}): Promise<UploadedImage> {
    const headers = {
      "content-type": "application/octet-stream",
      ...engineHeaders(this.#flavor, { filename: name, properties: propertiesOf(options) }),
    };
    return this.#upload([file], { headers, raw: Readable.from(counting(options)(file)) }, options);
  }

  /** Uploads an image with metadata and rootfs in two files, which the engine requires in this order. */
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

  /** Makes an uncompressed image of a snapshot. The operation has its fingerprint (see fingerprintOf). */
  async publish(
    { instance, snapshot, alias, properties }: PublishRequest,
    { signal }: CallOptions = {},
  ): Promise<EngineOperation> {
    const body = {
      source: { type: "snapshot", name: `${instance}/${snapshot}` },
      aliases: [{ name: alias }],
      compression_algorithm: "none",
      properties,
    };
    return this.#operations.start({ method: "POST", path: apiPath("images"), body, signal });
  }

  /** Downloads an image that is one file. The caller reads the stream to its end or destroys it. */
  async download(fingerprint: string, { signal }: CallOptions = {}): Promise<Readable> {
    const path = `${apiPath("images", fingerprint)}/export`;
    const limits = { signal };
    return new BoundedBody(await this.#http.open({ method: "GET", path, signal }), limits);
  }

  /** Waits for uploads whose client has disappeared: the engine still makes images of those it received completely. */
  async waitForUploads({ signal }: CallOptions = {}): Promise<void> {
    for (const operation of await this.#operations.uploads({ signal })) {
      await operation.wait({ signal }).catch((error) => {
        if (isUnavailable(error)) throw error;
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
      // To the second of two simultaneous uploads of one image LXD does not report the fingerprint.
      if (!(error.cause as OperationRecord).metadata?.fingerprint) throw error;
      return { fingerprint: fingerprintOf(error.cause as OperationRecord), existed: true };
    } finally {
      for (const source of sources) source.destroy();
    }
  }
}

function propertiesOf({ properties = {} }: UploadOptions): string | undefined {
  return Object.keys(properties).length > 0 ? new URLSearchParams(properties).toString() : undefined;
}

/** Passes streams through and reports the sum of their bytes. */
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
export function fingerprintOf(operation: OperationRecord): string {
  const fingerprint = operation.metadata?.fingerprint;
  if (typeof fingerprint === "string") return fingerprint;
  throw new TremplinError(
    "failed",
    "the engine accepted the image but did not report its fingerprint",
    operation,
  );
}

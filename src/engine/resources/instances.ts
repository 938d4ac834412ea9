import type { Readable } from "node:stream";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import type { FileHelper } from "../files/file-helper.ts";
import { apiPath } from "../http/api-path.ts";
import { BoundedBody } from "../http/bounded-body.ts";
import { type CallOptions, type ProjectOptions, projectQuery } from "../http/call-options.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { changeVersioned, getVersioned, type Versioned } from "../http/versioned.ts";
import type { EngineOperation } from "../operations/engine-operation.ts";
import type { OperationsApi } from "../operations/operations-api.ts";
import type {
  FullInstance,
  Instance,
  InstanceCreate,
  InstanceMetadata,
  InstanceState,
  InstanceUpdate,
  StateChange,
} from "./instance.ts";

export interface CopyOptions extends CallOptions {
  /** Changes the copy. The engine adds keys and devices that are left out: remove them from the copy by an update. */
  readonly change?: (instance: InstanceUpdate) => InstanceUpdate;
  /** Also copies the snapshots. Default false. */
  readonly snapshots?: boolean;
}

/** The engine's instances. Methods that return an EngineOperation do so when the engine has accepted it. */
export class Instances {
  readonly #http: EngineHttp;
  readonly #operations: OperationsApi;
  readonly #fileHelper: Pick<FileHelper, "release">;
  /** Updates of this client wait for each other, so that they do not use up each other's attempts. */
  readonly #updates = new KeyedMutex();

  constructor(http: EngineHttp, operations: OperationsApi, fileHelper: Pick<FileHelper, "release">) {
    this.#http = http;
    this.#operations = operations;
    this.#fileHelper = fileHelper;
  }

  async get(name: string, options: CallOptions = {}): Promise<Versioned<Instance>> {
    return getVersioned<Instance>(this.#http, instancePath(name), options);
  }

  async list({ signal, project }: ProjectOptions = {}): Promise<Instance[]> {
    const query = { recursion: "1", ...projectQuery({ project }) };
    const path = apiPath("instances");
    return (await this.#http.call<Instance[]>({ method: "GET", path, query, signal })).metadata;
  }

  /** All instances with their states and snapshots, in one request. */
  async listFull({ signal }: CallOptions = {}): Promise<FullInstance[]> {
    const query = { recursion: "2" };
    const path = apiPath("instances");
    return (await this.#http.call<FullInstance[]>({ method: "GET", path, query, signal })).metadata;
  }

  async state(name: string, { signal }: CallOptions = {}): Promise<InstanceState> {
    const path = `${instancePath(name)}/state`;
    return (await this.#http.call<InstanceState>({ method: "GET", path, signal })).metadata;
  }

  async setState(name: string, change: StateChange, { signal }: CallOptions = {}): Promise<EngineOperation> {
    const body = { timeout: -1, ...change };
    return this.#operations.start({ method: "PUT", path: `${instancePath(name)}/state`, body, signal });
  }

  /** The operation fails with `exists` if the name is taken. */
  async create(body: InstanceCreate, { signal }: CallOptions = {}): Promise<EngineOperation> {
    return this.#operations.start({ method: "POST", path: apiPath("instances"), body, signal });
  }

  /**
   * Copies an instance with its config, devices and profiles, which LXD does not copy by itself
   * (docs/engines.md#api-differences). The engine keeps the state of the id map and generates all other volatile
   * keys.
   */
  async copy(source: string, name: string, options: CopyOptions = {}): Promise<EngineOperation> {
    const { value } = await this.get(source, options);
    const update = options.change?.(writable(value)) ?? writable(value);
    const only = !options.snapshots;
    return this.create(
      {
        ...update,
        config: Object.fromEntries(
          Object.entries(update.config).filter(([key]) => !key.startsWith("volatile.")),
        ),
        name,
        source: { type: "copy", source, instance_only: only, container_only: only },
      },
      options,
    );
  }

  /** Throws `exists` if the new name is taken. */
  async rename(name: string, newName: string, { signal }: CallOptions = {}): Promise<EngineOperation> {
    apiPath(newName);
    this.#fileHelper.release(name);
    return this.#operations.start({
      method: "POST",
      path: instancePath(name),
      body: { name: newName },
      signal,
    });
  }

  async delete(name: string, { signal }: CallOptions = {}): Promise<EngineOperation> {
    return this.#operations.start({ method: "DELETE", path: instancePath(name), signal });
  }

  /** Reads, changes, writes and waits; repeats that when another client wrote in between (see changeVersioned). */
  async update(
    name: string,
    change: (instance: InstanceUpdate) => InstanceUpdate,
    { signal }: CallOptions = {},
  ): Promise<void> {
    const path = instancePath(name);
    const read = async () => {
      const { value, etag } = await this.get(name, { signal });
      return { value: writable(value), etag };
    };
    const write = (body: InstanceUpdate, headers: { "if-match": string }) =>
      this.#operations.run({ method: "PUT", path, body, headers, signal });
    await this.#updates.run(name, () => changeVersioned(read, change, write), signal);
  }

  async metadata(name: string, options: CallOptions = {}): Promise<Versioned<InstanceMetadata>> {
    return getVersioned<InstanceMetadata>(this.#http, `${instancePath(name)}/metadata`, options);
  }

  /** Like update(). */
  async updateMetadata(
    name: string,
    change: (metadata: InstanceMetadata) => InstanceMetadata,
    { signal }: CallOptions = {},
  ): Promise<void> {
    const path = `${instancePath(name)}/metadata`;
    await changeVersioned<InstanceMetadata>(
      () => this.metadata(name, { signal }),
      change,
      (body, headers) => this.#http.call({ method: "PUT", path, body, headers, signal }),
    );
  }

  /** The text of a template. The caller reads the stream to its end or destroys it. */
  async template(name: string, file: string, { signal }: CallOptions = {}): Promise<Readable> {
    const path = `${instancePath(name)}/metadata/templates`;
    const answer = await this.#http.open({ method: "GET", path, query: { path: file }, signal });
    return new BoundedBody(answer, { signal });
  }

  /** What it wrote to its console, as far as that is kept. The caller reads the stream to its end or destroys it. */
  async consoleLog(name: string, { signal }: CallOptions = {}): Promise<Readable> {
    const path = `${instancePath(name)}/console`;
    return new BoundedBody(await this.#http.open({ method: "GET", path, signal }), { signal });
  }

  /** A log file such as `lxc.log`. The caller reads the stream to its end or destroys it. */
  async log(name: string, file: string, { signal }: CallOptions = {}): Promise<Readable> {
    const path = `${instancePath(name)}${apiPath("logs", file).slice("/1.0".length)}`;
    return new BoundedBody(await this.#http.open({ method: "GET", path, signal }), { signal });
  }
}

function instancePath(name: string): string {
  return apiPath("instances", name);
}

function writable(instance: InstanceUpdate): InstanceUpdate {
  const { architecture, config, devices, ephemeral, profiles, stateful, description } = instance;
  return { architecture, config, devices, ephemeral, profiles, stateful, description };
}

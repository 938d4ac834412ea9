import { apiPath } from "../http/api-path.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import type { Options } from "../http/options.ts";
import type { EngineOperation } from "../operations/engine-operation.ts";
import type { Operations } from "../operations/operations.ts";
import type { InstanceUpdate } from "./instance.ts";

export interface Snapshot extends InstanceUpdate {
  /** Without the name of its instance. */
  readonly name: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly size: number;
}

/** Snapshots of instances: of the disk and the configuration, never of running processes. */
export class Snapshots {
  readonly #http: EngineHttp;
  readonly #operations: Operations;

  constructor(http: EngineHttp, operations: Operations) {
    this.#http = http;
    this.#operations = operations;
  }

  async get(instance: string, name: string, { signal }: Options = {}): Promise<Snapshot> {
    const path = apiPath("instances", instance, "snapshots", name);
    return (await this.#http.call<Snapshot>({ method: "GET", path, signal })).metadata;
  }

  /** For an instance that is not there, LXD says `not-found` and Incus an empty list. */
  async list(instance: string, { signal }: Options = {}): Promise<Snapshot[]> {
    const path = apiPath("instances", instance, "snapshots");
    const query = { recursion: "1" };
    return (await this.#http.call<Snapshot[]>({ method: "GET", path, query, signal })).metadata;
  }

  async create(instance: string, name: string, { signal }: Options = {}): Promise<EngineOperation> {
    const path = apiPath("instances", instance, "snapshots");
    const body = { name, stateful: false };
    return this.#operations.start({ method: "POST", path, body, signal });
  }

  /** Lets the engine delete the snapshot by itself at some time; it looks once a minute. */
  async expire(instance: string, name: string, at: Date, { signal }: Options = {}): Promise<void> {
    const path = apiPath("instances", instance, "snapshots", name);
    const body = { expires_at: at.toISOString() };
    await this.#operations.run({ method: "PUT", path, body, signal });
  }

  async delete(instance: string, name: string, { signal }: Options = {}): Promise<EngineOperation> {
    const path = apiPath("instances", instance, "snapshots", name);
    return this.#operations.start({ method: "DELETE", path, signal });
  }

  /** Puts the instance back to the snapshot. */
  async restore(instance: string, name: string, { signal }: Options = {}): Promise<EngineOperation> {
    const body = { restore: name };
    return this.#operations.start({ method: "PUT", path: apiPath("instances", instance), body, signal });
  }
}

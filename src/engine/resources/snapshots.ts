import { apiPath } from "../http/api-path.ts";
import type { CallOptions } from "../http/call-options.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import type { EngineOperation } from "../operations/engine-operation.ts";
import type { OperationsApi } from "../operations/operations-api.ts";
import type { InstanceUpdate } from "./instance.ts";

export interface Snapshot extends InstanceUpdate {
  /** Does not include the instance's name. */
  readonly name: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly size: number;
}

/** Snapshots of instances: their disk and configuration, never running processes. */
export class Snapshots {
  readonly #http: EngineHttp;
  readonly #operations: OperationsApi;

  constructor(http: EngineHttp, operations: OperationsApi) {
    this.#http = http;
    this.#operations = operations;
  }

  async get(instance: string, name: string, { signal }: CallOptions = {}): Promise<Snapshot> {
    const path = apiPath("instances", instance, "snapshots", name);
    return (await this.#http.call<Snapshot>({ method: "GET", path, signal })).metadata;
  }

  /** For a missing instance LXD throws `not-found`, and Incus returns an empty list. */
  async list(instance: string, { signal }: CallOptions = {}): Promise<Snapshot[]> {
    const path = apiPath("instances", instance, "snapshots");
    const query = { recursion: "1" };
    return (await this.#http.call<Snapshot[]>({ method: "GET", path, query, signal })).metadata;
  }

  /** `expiresAt`: as with expire(); by default what the instance's key snapshots.expiry says. */
  async create(
    instance: string,
    name: string,
    { signal, expiresAt }: CallOptions & { readonly expiresAt?: Date | undefined } = {},
  ): Promise<EngineOperation> {
    const path = apiPath("instances", instance, "snapshots");
    const body = { name, stateful: false, ...(expiresAt && { expires_at: expiresAt.toISOString() }) };
    return this.#operations.start({ method: "POST", path, body, signal });
  }

  /** Makes the engine delete the snapshot at that time; it checks once a minute. */
  async expire(instance: string, name: string, at: Date, { signal }: CallOptions = {}): Promise<void> {
    const path = apiPath("instances", instance, "snapshots", name);
    const body = { expires_at: at.toISOString() };
    await this.#operations.run({ method: "PUT", path, body, signal });
  }

  async delete(instance: string, name: string, { signal }: CallOptions = {}): Promise<EngineOperation> {
    const path = apiPath("instances", instance, "snapshots", name);
    return this.#operations.start({ method: "DELETE", path, signal });
  }

  /** Returns the instance to the state of the snapshot. */
  async restore(instance: string, name: string, { signal }: CallOptions = {}): Promise<EngineOperation> {
    const body = { restore: name };
    return this.#operations.start({ method: "PUT", path: apiPath("instances", instance), body, signal });
  }
}

import { apiPath } from "./api-path.ts";
import { Collection } from "./collection.ts";
import type { EngineHttp } from "./engine-http.ts";
import type { Options } from "./options.ts";

export type Config = Readonly<Record<string, string>>;

export interface PoolUpdate {
  readonly config: Config;
  readonly description: string;
}

export interface Pool extends PoolUpdate {
  readonly name: string;
  readonly driver: string;
  readonly status: string;
  readonly used_by: readonly string[] | null;
}

export interface PoolCreate extends Partial<PoolUpdate> {
  readonly name: string;
  readonly driver: string;
}

export interface PoolResources {
  /** In bytes. */
  readonly space: { readonly used: number; readonly total: number };
  readonly inodes: { readonly used: number; readonly total: number };
}

/** Storage pools. */
export class Pools extends Collection<Pool, PoolCreate, PoolUpdate> {
  constructor(http: EngineHttp) {
    super(http, "storage-pools", ["config", "description"]);
  }

  async resources(name: string, { signal }: Options = {}): Promise<PoolResources> {
    const path = `${apiPath(this.name, name)}/resources`;
    return (await this.http.call<PoolResources>({ method: "GET", path, signal })).metadata;
  }

  /** Deletes a custom volume of a pool. */
  async deleteVolume(pool: string, volume: string, { signal }: Options = {}): Promise<void> {
    const path = apiPath(this.name, pool, "volumes", "custom", volume);
    await this.http.call({ method: "DELETE", path, signal });
  }
}

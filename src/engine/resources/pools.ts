import { apiPath } from "../http/api-path.ts";
import type { CallOptions } from "../http/call-options.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { Collection } from "./collection.ts";

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
  /** Bytes. */
  readonly space: { readonly used: number; readonly total: number };
  readonly inodes: { readonly used: number; readonly total: number };
}

export interface VolumeUpdate {
  readonly config: Config;
  readonly description: string;
}

/** A custom volume of a pool. */
export interface Volume extends VolumeUpdate {
  readonly name: string;
  readonly content_type: string;
}

export interface VolumeSnapshotUpdate {
  readonly description: string;
  readonly expires_at: string | null;
}

/** A snapshot of a custom volume. In lists its `name` is VOLUME/SNAPSHOT. */
export interface VolumeSnapshot extends VolumeSnapshotUpdate {
  readonly name: string;
  readonly config: Config;
}

export class Pools extends Collection<Pool, PoolCreate, PoolUpdate> {
  constructor(http: EngineHttp) {
    super(http, "storage-pools", ["config", "description"]);
  }

  async resources(name: string, { signal }: CallOptions = {}): Promise<PoolResources> {
    const path = `${apiPath(this.name, name)}/resources`;
    return (await this.http.call<PoolResources>({ method: "GET", path, signal })).metadata;
  }

  volumes(pool: string): Collection<Volume, VolumeUpdate & { readonly name: string }, VolumeUpdate> {
    return new Collection(this.http, [...volumesOf(pool)], ["config", "description"]);
  }

  volumeSnapshots(
    pool: string,
    volume: string,
  ): Collection<VolumeSnapshot, { readonly name: string }, VolumeSnapshotUpdate> {
    return new Collection(
      this.http,
      [...volumesOf(pool), volume, "snapshots"],
      ["description", "expires_at"],
    );
  }
}

function volumesOf(pool: string): readonly string[] {
  return ["storage-pools", pool, "volumes", "custom"];
}

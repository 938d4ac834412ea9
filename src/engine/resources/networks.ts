import { apiPath } from "../http/api-path.ts";
import type { CallOptions } from "../http/call-options.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { Collection } from "./collection.ts";
import type { NetworkState } from "./network-state.ts";
import type { Config } from "./pools.ts";

export interface NetworkUpdate {
  readonly config: Config;
  readonly description: string;
}

export interface Network extends NetworkUpdate {
  readonly name: string;
  readonly type: string;
  /** False for an interface of the machine that the engine does not control. */
  readonly managed: boolean;
  readonly status: string;
  readonly used_by: readonly string[] | null;
}

export interface NetworkCreate extends Partial<NetworkUpdate> {
  readonly name: string;
  /** Default `bridge`. */
  readonly type?: string;
}

export interface DhcpLease {
  readonly hostname: string;
  readonly hwaddr: string;
  readonly address: string;
  /** `gateway`: the bridge itself. */
  readonly type: "static" | "dynamic" | "gateway";
}

/** Ports of an address that a network forwards to its containers. */
export interface NetworkForward {
  readonly listen_address: string;
  readonly description: string;
  readonly config: Config;
  readonly ports: readonly unknown[];
}

export class Networks extends Collection<Network, NetworkCreate, NetworkUpdate> {
  constructor(http: EngineHttp) {
    super(http, "networks", ["config", "description"]);
  }

  forwards(network: string): Collection<NetworkForward, NetworkForward, NetworkForward> {
    return new Collection(this.http, ["networks", network, "forwards"], ["config", "description", "ports"]);
  }

  async state(name: string, { signal }: CallOptions = {}): Promise<NetworkState> {
    const path = `${apiPath(this.name, name)}/state`;
    return (await this.http.call<NetworkState>({ method: "GET", path, signal })).metadata;
  }

  async leases(name: string, { signal }: CallOptions = {}): Promise<DhcpLease[]> {
    const path = `${apiPath(this.name, name)}/leases`;
    return (await this.http.call<DhcpLease[]>({ method: "GET", path, signal })).metadata;
  }
}

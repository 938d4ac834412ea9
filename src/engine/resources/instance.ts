import type { EngineKind } from "../flavors/flavors.ts";
import type { NetworkState } from "./network-state.ts";
import type { Config } from "./pools.ts";
import type { Devices } from "./profiles.ts";
import type { Snapshot } from "./snapshots.ts";

/** What of an instance can be written. */
export interface InstanceUpdate {
  readonly architecture: string;
  readonly config: Config;
  readonly devices: Devices;
  readonly ephemeral: boolean;
  readonly profiles: readonly string[];
  readonly stateful: boolean;
  readonly description: string;
}

export interface Instance extends InstanceUpdate {
  readonly name: string;
  readonly type: "container" | "virtual-machine";
  readonly status: string;
  readonly status_code: number;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly location: string;
  /** With what its profiles add. */
  readonly expanded_config: Config;
  readonly expanded_devices: Devices;
}

/** An instance with what belongs to it, as far as anything here asks for it. */
export interface FullInstance extends Instance {
  /** Null where there is none. Without the name of the instance. */
  readonly snapshots: readonly Snapshot[] | null;
}

/** The status codes of instances that something is decided by. */
export const instanceStatus = { stopped: 102, running: 103, frozen: 110, error: 112 } as const;

export interface InstanceState {
  readonly status: string;
  readonly status_code: number;
  readonly pid: number;
  /** Interfaces by their name in the container; null while it is stopped. */
  readonly network: Readonly<Record<string, NetworkState>> | null;
  readonly disk: Readonly<Record<string, { readonly usage: number }>> | null;
  /** In bytes. */
  readonly memory: { readonly usage: number; readonly usage_peak: number };
  readonly processes: number;
  /** In nanoseconds. */
  readonly cpu: { readonly usage: number };
}

/** Where the root of a new instance comes from. */
export type InstanceSource =
  | {
      readonly type: "image";
      readonly fingerprint?: string;
      readonly alias?: string;
      /** The rest names an image server; without it, the image is one of the engine's own. */
      readonly mode?: "pull";
      readonly server?: string;
      readonly protocol?: "simplestreams" | EngineKind;
      readonly certificate?: string;
    }
  | {
      readonly type: "copy";
      readonly source: string;
      readonly instance_only?: boolean;
      readonly container_only?: boolean;
    }
  | { readonly type: "none" };

export type InstanceCreate = Partial<InstanceUpdate> & {
  readonly name: string;
  readonly type?: "container";
  readonly source: InstanceSource;
};

/** What an image says of itself, as far as an instance carries it on (`metadata.yaml`). */
export interface InstanceMetadata {
  readonly architecture: string;
  readonly creation_date: number;
  readonly expiry_date: number;
  readonly properties: Config | null;
  /** Files that the engine writes below its root, each from a template. */
  readonly templates: Readonly<Record<string, { readonly template: string }>> | null;
}

export interface StateChange {
  readonly action: "start" | "stop" | "restart" | "freeze" | "unfreeze";
  /** Seconds to wait for it to shut down before it fails. Default: for ever. */
  readonly timeout?: number;
  /** Kill it instead of asking it to shut down. */
  readonly force?: boolean;
}

import type { EngineKind } from "../flavors/flavors.ts";
import type { NetworkState } from "./network-state.ts";
import type { Config } from "./pools.ts";
import type { Devices } from "./profiles.ts";
import type { Snapshot } from "./snapshots.ts";

/** The writable part of an instance. */
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
  /** Includes the config of its profiles. */
  readonly expanded_config: Config;
  readonly expanded_devices: Devices;
}

/** An instance with its state and its snapshots. */
export interface FullInstance extends Instance {
  /** Null where the engine cannot say now. */
  readonly state?: InstanceState | null;
  /** Null if there are none. Their names do not include the instance's name. */
  readonly snapshots: readonly Snapshot[] | null;
}

/** The status codes that the program distinguishes. */
export const instanceStatus = { stopped: 102, running: 103, frozen: 110, error: 112 } as const;

export interface InstanceState {
  readonly status: string;
  readonly status_code: number;
  readonly pid: number;
  /** Interfaces by their names in the container; null while it is stopped. */
  readonly network: Readonly<Record<string, NetworkState>> | null;
  readonly disk: Readonly<Record<string, { readonly usage: number }>> | null;
  /** Bytes. */
  readonly memory: { readonly usage: number; readonly usage_peak: number };
  readonly processes: number;
  /** Nanoseconds. */
  readonly cpu: { readonly usage: number };
}

/** The source of a new instance's root file system. */
export type InstanceSource =
  | {
      readonly type: "image";
      readonly fingerprint?: string;
      readonly alias?: string;
      /** These select an image server; without them it is one of the engine's own images. */
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

/** An image's description of itself, as far as its instances keep it (`metadata.yaml`). */
export interface InstanceMetadata {
  readonly architecture: string;
  readonly creation_date: number;
  readonly expiry_date: number;
  readonly properties: Config | null;
  /** Files in the instance that the engine generates from templates. */
  readonly templates: Readonly<Record<string, { readonly template: string }>> | null;
}

export interface StateChange {
  readonly action: "start" | "stop" | "restart" | "freeze" | "unfreeze";
  /** Seconds until a shutdown fails. Default: never. */
  readonly timeout?: number;
  /** Kills it instead of shutting it down. */
  readonly force?: boolean;
}

import { TremplinError } from "../../base/tremplin-error.ts";
import { type EngineKind, engineKind } from "../flavors/flavors.ts";
import type { CallOptions } from "../http/call-options.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { changeVersioned, getVersioned } from "../http/versioned.ts";
import type { Config } from "./pools.ts";

/** The identity of the engine. It does not change while the engine runs. */
export interface ServerInfo {
  readonly kind: EngineKind;
  readonly version: string;
  readonly apiExtensions: ReadonlySet<string>;
  /** The engine's own architecture first, then the others that it runs, by the engine's names (`x86_64`, `i686`). */
  readonly architectures: readonly string[];
  readonly storageDrivers: readonly string[];
  readonly serverName: string;
  readonly clustered: boolean;
  readonly pid: number;
  readonly kernelVersion: string;
}

interface ServerAnswer {
  readonly api_extensions: readonly string[];
  readonly config: Config;
  readonly auth: string;
  readonly environment?: {
    readonly server: string;
    readonly server_version: string;
    readonly server_name: string;
    readonly server_pid: number;
    readonly server_clustered: boolean;
    readonly kernel_version: string;
    readonly architectures: readonly string[];
    readonly storage_supported_drivers: readonly { readonly Name: string }[];
  };
}

/** The engine's own configuration. */
export class Server {
  readonly #http: EngineHttp;

  constructor(http: EngineHttp) {
    this.#http = http;
  }

  /** Throws `failed` if the engine does not trust this client. */
  async info({ signal }: CallOptions = {}): Promise<ServerInfo> {
    const { metadata } = await this.#http.call<ServerAnswer>({ method: "GET", path: "/1.0", signal });
    const { environment, auth, api_extensions } = metadata;
    if (!environment || auth !== "trusted") {
      throw new TremplinError("failed", "the engine does not trust this client: add its certificate there");
    }
    return {
      kind: engineKind(environment.server),
      version: environment.server_version,
      apiExtensions: new Set(api_extensions),
      architectures: environment.architectures,
      storageDrivers: environment.storage_supported_drivers.map((driver) => driver.Name),
      serverName: environment.server_name,
      clustered: environment.server_clustered,
      pid: environment.server_pid,
      kernelVersion: environment.kernel_version,
    };
  }

  async config({ signal }: CallOptions = {}): Promise<Config> {
    return (await getVersioned<ServerAnswer>(this.#http, "/1.0", { signal })).value.config;
  }

  /** Reads, changes and writes; repeats that when another client wrote in between (see changeVersioned). */
  async updateConfig(change: (config: Config) => Config, { signal }: CallOptions = {}): Promise<void> {
    await changeVersioned<Config>(
      async () => {
        const { value, etag } = await getVersioned<ServerAnswer>(this.#http, "/1.0", { signal });
        return { value: value.config, etag };
      },
      change,
      (config, headers) =>
        this.#http.call({ method: "PUT", path: "/1.0", body: { config }, headers, signal }),
    );
  }

  /** Sets these keys, and removes those that are empty. All others stay. */
  async patchConfig(config: Config, { signal }: CallOptions = {}): Promise<void> {
    await this.#http.call({ method: "PATCH", path: "/1.0", body: { config }, signal });
  }
}

import { TremplinError } from "../../base/tremplin-error.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import type { Options } from "../http/options.ts";
import type { Config } from "./pools.ts";

/** A pool to search; of one that the engine knows, the name is enough. */
export interface RecoveryPool {
  readonly name: string;
  readonly driver?: string;
  readonly config?: Config;
}

export interface UnknownVolume {
  readonly name: string;
  readonly type: string;
  readonly pool: string;
  readonly project: string;
  readonly snapshotCount: number;
}

export interface RecoveryFinding {
  /** What lies on the pools and is not in the engine's database. */
  readonly volumes: readonly UnknownVolume[];
  /** Why an import would do nothing: what must exist first. */
  readonly missing: readonly string[];
}

interface RecoveryAnswer {
  readonly UnknownVolumes?: readonly UnknownVolume[] | null;
  readonly DependencyErrors?: readonly string[] | null;
}

/** How long a search of the pools may take, in milliseconds. */
const recoveryLimit = 300_000;

/** Bringing containers on a pool back into the engine's database. Only over the unix socket. */
export class Recovery {
  readonly #http: EngineHttp;

  constructor(http: EngineHttp) {
    this.#http = http;
  }

  /** What an import would bring back, and what stands in its way. Changes nothing. */
  async validate(pools: readonly RecoveryPool[], options: Options = {}): Promise<RecoveryFinding> {
    const answer = await this.#post("validate", pools, options);
    return { volumes: answer.UnknownVolumes ?? [], missing: answer.DependencyErrors ?? [] };
  }

  /** Throws `failed` with what is missing, which the engine itself calls a success (engines.md 2.1). */
  async import(pools: readonly RecoveryPool[], options: Options = {}): Promise<void> {
    const { DependencyErrors } = await this.#post("import", pools, options);
    if (!DependencyErrors?.length) return;
    throw new TremplinError("failed", `recovering containers needs first: ${DependencyErrors.join("; ")}`);
  }

  async #post(what: string, pools: readonly RecoveryPool[], { signal }: Options): Promise<RecoveryAnswer> {
    const body = { pools: pools.map((pool) => ({ driver: "", config: {}, ...pool })) };
    const path = `/internal/recover/${what}`;
    const { metadata } = await this.#http.call<RecoveryAnswer | null>({
      method: "POST",
      path,
      body,
      signal,
      timeLimit: recoveryLimit,
    });
    return metadata ?? {};
  }
}

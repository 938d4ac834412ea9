import { TremplinError } from "../../base/tremplin-error.ts";
import type { CallOptions } from "../http/call-options.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import type { Config } from "./pools.ts";

/** A pool to search. For a pool in the engine's database the name is enough. */
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
  /** Volumes on the pools that the engine's database does not have. */
  readonly volumes: readonly UnknownVolume[];
  /** What must exist before an import can do anything. */
  readonly missing: readonly string[];
}

interface RecoveryAnswer {
  readonly UnknownVolumes?: readonly UnknownVolume[] | null;
  readonly DependencyErrors?: readonly string[] | null;
}

const RECOVERY_TIMEOUT_MS = 300_000;

/** Imports containers that exist on a pool into the engine's database. Only over the unix socket. */
export class Recovery {
  readonly #http: EngineHttp;

  constructor(http: EngineHttp) {
    this.#http = http;
  }

  /** What an import would do, and what prevents it. Changes nothing. */
  async validate(pools: readonly RecoveryPool[], options: CallOptions = {}): Promise<RecoveryFinding> {
    const answer = await this.#post("validate", pools, options);
    return { volumes: answer.UnknownVolumes ?? [], missing: answer.DependencyErrors ?? [] };
  }

  /** Throws `failed` with what is missing; the engine itself reports success then (docs/engines.md#database). */
  async import(pools: readonly RecoveryPool[], options: CallOptions = {}): Promise<void> {
    const { DependencyErrors } = await this.#post("import", pools, options);
    if (!DependencyErrors?.length) return;
    throw new TremplinError(
      "failed",
      `before containers can be recovered, the engine needs: ${DependencyErrors.join("; ")}`,
    );
  }

  async #post(
    what: string,
    pools: readonly RecoveryPool[],
    { signal }: CallOptions,
  ): Promise<RecoveryAnswer> {
    const body = { pools: pools.map((pool) => ({ driver: "", config: {}, ...pool })) };
    const path = `/internal/recover/${what}`;
    const { metadata } = await this.#http.call<RecoveryAnswer | null>({
      method: "POST",
      path,
      body,
      signal,
      timeoutMs: RECOVERY_TIMEOUT_MS,
    });
    return metadata ?? {};
  }
}

import type { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Prepared } from "./launch-managed-engine.ts";

/** A launch under way or done, the same for all who ask meanwhile. */
export interface Launch {
  readonly outcome: Promise<Prepared>;
  /** Resolves with why, when it takes more than a launch; else never. */
  readonly recovering: Promise<string>;
  /** Whether a reset was wished of it. */
  readonly resets: boolean;
}

/** That the engine shall get a new database. */
export interface ResetRequest {
  /** Called once it has begun on disk: from then on it need not be wished again, whatever dies. */
  readonly onBegun: () => Promise<void>;
}

/**
 * What the engine is up to:
 * - `stopped`: nobody asked for it yet;
 * - `starting`: somebody did, and all who ask meanwhile share the outcome;
 * - `running`: launched, prepared, everything left over put right;
 * - `failed`: the last launch failed; asking again tries again.
 */
export type EngineState =
  | { readonly status: "stopped" }
  | { readonly status: "starting"; readonly launch: Launch }
  | { readonly status: "running"; readonly engine: Engine }
  | { readonly status: "failed"; readonly error: TremplinError };

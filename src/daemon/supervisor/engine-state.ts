import type { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ResetPhase } from "./database-reset/reset-record.ts";

export interface PreparedEngine {
  readonly engine: Engine;
  /** What a person should know although the engine runs; empty when there is nothing. */
  readonly remark: string;
}

/** A launch, shared by all who ask for one meanwhile. */
export interface Launch {
  readonly outcome: Promise<PreparedEngine>;
  /** Whether a user requested a database reset with it. */
  readonly resets: boolean;
}

/** The request that the engine gets a new database. */
export interface ResetRequest {
  /** Called once the reset has begun on disk. From then on it continues after a crash without another request. */
  readonly onBegun: () => Promise<void>;
}

/**
 * The steps of a launch without a database reset:
 * - `launching`: the engine is started or adopted, or an external one connected to;
 * - `preparing`: network, storage, profile and config are merged into what the engine has.
 */
export type LaunchStep = "launching" | "preparing";

/** A phase on disk, or before the first one: `saving`, the engine's configuration is saved and the engine stopped. */
export type ResetStep = "saving" | ResetPhase;

interface Reason {
  /** Why the launch takes longer, if the host is notified of it (RECOVERING). Stays until the end of the launch. */
  readonly reason?: string | undefined;
}

/** How far a launch is. */
export type LaunchProgress = Reason &
  (
    | { readonly status: "starting"; readonly step: LaunchStep }
    | { readonly status: "resetting"; readonly step: ResetStep }
    | { readonly status: "recovering"; readonly engine: Engine }
  );

interface OfLaunch {
  /** The newest launch. While it waits for an earlier one to end, the state is that of the earlier one. */
  readonly launch: Launch;
}

/**
 * The states of the engine:
 * - `stopped`: nobody has asked for it yet;
 * - `starting`: a launch is under way;
 * - `resetting`: the launch replaces the engine's database, on request or because it is broken or lost;
 * - `recovering`: the engine is prepared, and interrupted operations are recovered: only they may use it;
 * - `running`: the engine works;
 * - `restarting`: the managed engine crashed and is started again. Requests to it fail meanwhile;
 * - `failed`: the last launch failed, or the managed engine crashed too often. Another launch may be asked for.
 */
export type EngineState =
  | { readonly status: "stopped" }
  | (OfLaunch & LaunchProgress)
  | (OfLaunch & { readonly status: "running" | "restarting"; readonly engine: Engine })
  | (OfLaunch & {
      readonly status: "failed";
      readonly error: TremplinError;
      /** The client of an engine that crashed too often, until the next launch replaces it. */
      readonly engine?: Engine;
    });

type Status = EngineState["status"];
export type LaunchingState = Extract<EngineState, { status: LaunchProgress["status"] }>;
export type UsableState = Extract<EngineState, { status: "running" | "restarting" }>;

/** The states that may follow each state. */
const nextStates: Readonly<Record<Status, readonly Status[]>> = {
  stopped: ["starting"],
  starting: ["starting", "resetting", "recovering", "failed"],
  resetting: ["resetting", "starting", "recovering", "failed"],
  // `starting`: the engine died, or another launch waited for this one. `recovering`: another launch begins to wait.
  recovering: ["recovering", "starting", "running"],
  // `starting`: a reset was requested.
  running: ["starting", "restarting", "failed"],
  restarting: ["starting", "running", "failed"],
  failed: ["starting"],
};

/** Throws for a transition that only a fault of the supervisor can cause. */
export function assertTransition(from: EngineState, to: EngineState): void {
  if (nextStates[from.status].includes(to.status)) return;
  throw new Error(`the engine's state cannot change from ${from.status} to ${to.status}`);
}

export function isLaunching(state: EngineState): state is LaunchingState {
  return state.status === "starting" || state.status === "resetting" || state.status === "recovering";
}

/** Whether everybody may use the engine. */
export function isUsable(state: EngineState): state is UsableState {
  return state.status === "running" || state.status === "restarting";
}

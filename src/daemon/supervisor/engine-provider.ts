import type { TremplinError } from "../../base/tremplin-error.ts";
import type { LaunchProgress, PreparedEngine, ResetRequest } from "./engine-state.ts";
import type { EngineEvent } from "./process/engine-process.ts";

/** Where the supervisor has its engine from: it launches a managed one, or attaches to an external one. */
export interface EngineProvider {
  /** Whether the daemon launches the engine itself: only then it may reset its database. */
  readonly isManaged: boolean;
  /** Aborts when no launch may begin or continue, because the engine or the daemon shuts down. */
  readonly launchSignal: AbortSignal;
  /** Aborts when there will be no engine any more: the daemon ends, or the engine crashed too often. */
  readonly lostSignal: AbortSignal;
  /** Why the managed engine is not started again; undefined while it is. */
  readonly gaveUpError: TremplinError | undefined;
  /** Calls `listener` for what happens to the process of a managed engine by itself. */
  listen(listener: (event: EngineEvent) => void): void;
  /** Whether a managed engine runs, whichever daemon started it. */
  isRunning(): Promise<boolean>;
  /** Launches the engine or attaches to it, and prepares it for containers. */
  provide(
    reset: ResetRequest | undefined,
    report: (progress: LaunchProgress) => void,
  ): Promise<PreparedEngine>;
  /** Ends a launch, stops the containers and a managed engine, and waits for its end. */
  shutDown(): Promise<void>;
  /** Ends a launch; the engine and its containers go on. */
  detach(): void;
}

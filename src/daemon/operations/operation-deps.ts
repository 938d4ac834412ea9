import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Site } from "../sites/site.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";

/** What operations and rpcs work with. */
export interface OperationDeps {
  readonly supervisor: Supervisor;
  /** The engine of now. Throws `unavailable` when there is none. */
  readonly engine: () => Engine;
  readonly site: Site;
  /** What {state} and {shared} mean in texts of the site. */
  readonly places: { readonly state: string; readonly shared: string };
  /** The milestone of the place, where it has one. */
  readonly milestone: string | undefined;
  /** Aborts when the daemon ends. */
  readonly shutdownSignal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
}

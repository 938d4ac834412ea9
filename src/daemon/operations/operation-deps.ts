import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Site } from "../sites/site.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import type { UploadedImages } from "./uploaded-images.ts";

/** What operations and rpcs work with. */
export interface OperationDeps {
  readonly supervisor: Supervisor;
  /** The current engine. Throws `unavailable` when there is none. */
  readonly engine: () => Engine;
  /** Shared by all operations that create containers from images. */
  readonly uploads: UploadedImages;
  readonly site: Site;
  /** The values of {state} and {shared} in texts of the site. */
  readonly places: { readonly state: string; readonly shared: string };
  /** The milestone, where the site has one. */
  readonly milestone: string | undefined;
  /** Aborts when the daemon shuts down. */
  readonly shutdownSignal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
}

import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import type { Site } from "../sites/site.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import type { UploadedImages } from "./uploaded-images.ts";

/** The two ways to the engine. Each throws `unavailable` when it leads to none. */
export interface EngineAccess {
  /** The engine once it counts as running, for requests. */
  running(): Engine;
  /** The same engine, and also one in which operations of an earlier daemon are being recovered. For operations only. */
  forRecovery(): Engine;
}

/** What a kind of operation works with. */
export interface OperationDeps {
  readonly supervisor: Supervisor;
  /** EngineAccess.forRecovery: an operation may have to be recovered before the engine counts as running. */
  readonly engine: () => Engine;
  /** Shared by all operations that create containers from images. */
  readonly uploads: UploadedImages;
  /** Called before a container starts. Never rejects. */
  readonly beforeBoot: (container: Instance) => Promise<void>;
  readonly site: Site;
  /** The values of {state} and {shared} in texts of the site. */
  readonly places: { readonly state: string; readonly shared: string };
  /** The host's milestone, where the site has one. */
  readonly milestone: string | undefined;
  /** Aborts when the daemon stops. */
  readonly shutdownSignal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
}

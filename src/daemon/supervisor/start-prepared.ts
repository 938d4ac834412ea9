import type { Clock } from "../../base/async/clock.ts";
import { type RetryPolicy, withRetries } from "../../base/async/retry.ts";
import type { Logger } from "../../base/logger.ts";
import { isUnavailable } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { EngineAddress } from "../../engine/http/engine-address.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { MissingItems } from "./config-backup/restore-log.ts";
import type { DatabaseReset } from "./database-reset/database-reset.ts";
import type { LaunchProgress } from "./engine-state.ts";
import { POOL } from "./prepare/prepare-storage.ts";
import type { ManagedEngine } from "./process/managed-engine.ts";

/** How often work that prepares an engine, or recovers operations in it, is repeated after the engine died. */
export const ENGINE_DEATH_POLICY: RetryPolicy = { maxRetries: 2 };

/** What a launch of the managed engine works with. */
export interface ManagedLaunch {
  readonly managed: ManagedEngine;
  readonly reset: DatabaseReset;
  /** Whether the database is reset, unless a reset is under way already. Called once. */
  readonly wantsReset: () => Promise<boolean>;
  /** Called when a wanted reset has begun on disk and continues after a crash. */
  readonly onResetBegun: () => Promise<void>;
  readonly connect: (address: EngineAddress) => Promise<Engine>;
  /** Prepares the engine for containers; with `recovering` also restores what the old database had. */
  readonly prepare: (engine: Engine, recovering: boolean) => Promise<MissingItems>;
  readonly report: (progress: LaunchProgress) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface StartedEngine {
  readonly engine: Engine;
  readonly missing: MissingItems;
}

/** Starts the engine and prepares it with the database that it has. */
export function startPrepared(launch: ManagedLaunch): Promise<StartedEngine> {
  return retryStart(launch, false);
}

/** Starts the engine with a new database and restores the content of the old one. */
export function startRecovered(launch: ManagedLaunch): Promise<StartedEngine> {
  const { managed, reset } = launch;
  return retryStart(launch, true, async () => {
    // The new database can have half of the container that the engine was importing: it makes another one.
    await managed.stopAll();
    await reset.startOver();
  });
}

function retryStart(
  launch: ManagedLaunch,
  recovering: boolean,
  cleanUp?: () => Promise<void>,
): Promise<StartedEngine> {
  const { clock, log, signal } = launch;
  const beforeRetry = async (error: unknown) => {
    log.warn({ error }, "the engine died while it was prepared; it is prepared again");
    await cleanUp?.();
  };
  const options = { clock, isRetryable: isUnavailable, beforeRetry };
  return withRetries(ENGINE_DEATH_POLICY, options, async () => {
    let engine: Engine | undefined;
    try {
      engine = await launch.connect(await launch.managed.start());
      if (!recovering) launch.report({ status: "starting", step: "preparing" });
      return { engine, missing: await launch.prepare(engine, recovering) };
    } catch (error) {
      await engine?.[Symbol.asyncDispose]();
      signal.throwIfAborted();
      throw error;
    }
  });
}

/** Whether the engine's database has the pool of containers. */
export async function hasPool(engine: Engine, signal: AbortSignal): Promise<boolean> {
  return (await engine.pools.get(POOL, { signal }).catch(ifMissing)) !== undefined;
}

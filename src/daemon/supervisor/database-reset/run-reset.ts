import { TremplinError } from "../../../base/tremplin-error.ts";
import { recordConfig } from "../config-backup/config-backup.ts";
import { removeWanted } from "../config-backup/wanted-config.ts";
import type { PreparedEngine } from "../engine-state.ts";
import {
  hasPool,
  type ManagedLaunch,
  type StartedEngine,
  startPrepared,
  startRecovered,
} from "../start-prepared.ts";
import { concludeReset, recordMissing } from "./conclude-reset.ts";
import type { DatabaseReset } from "./database-reset.ts";
import { ImageGuard } from "./image-guard.ts";
import { ephemeralRefusal } from "./reset-conditions.ts";

/** Continues a reset in which an earlier daemon died, up to the phase `recovering`. */
export async function resumeReset({ managed, reset, report, log }: ManagedLaunch): Promise<void> {
  const { phase } = reset;
  if (!phase) return;
  log.warn({ phase }, "an earlier daemon died while it reset the engine's database: continuing");
  report({ status: "resetting", step: phase });
  if (phase === "moving" || phase === "restoring") await managed.stopAll();
  await reset.resume();
}

/** Saves what the engine has, stops it and moves its database away. Throws `invalid` where that would lose a container. */
export async function beginReset(launch: ManagedLaunch): Promise<void> {
  const { managed, reset, report, log } = launch;
  const incomplete = await saveConfig(launch);
  await recordMissing(reset, managed.folder, { incomplete, log });
  await managed.stopAll();
  const guard = new ImageGuard(managed.folder, managed.layout, log);
  await guard.restore();
  report({ status: "resetting", step: "moving" });
  await reset.begin();
  await guard.lower();
}

/** The config backup may be old, and an engine that runs has the newest state. Returns why it is incomplete, if it is. */
async function saveConfig({ managed, connect, log, signal }: ManagedLaunch): Promise<string | undefined> {
  if (!(await managed.isReady())) return undefined;
  let refusal: TremplinError | undefined;
  let incomplete: string | undefined;
  try {
    await using engine = await connect(await managed.start());
    refusal = await ephemeralRefusal(engine, signal);
    if (await hasPool(engine, signal)) await recordConfig(engine, managed.folder, log, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ error }, "the engine's configuration could not be saved before the reset");
    incomplete = `the engine did not say any more what it had (${TremplinError.from(error).message})`;
  }
  if (refusal) throw refusal;
  return incomplete;
}

/** Restores everything into a new database. Where that fails, the old database is restored instead. */
export async function completeReset(launch: ManagedLaunch): Promise<PreparedEngine> {
  const { reset, report, signal } = launch;
  if (reset.phase) report({ status: "resetting", step: reset.phase });
  let recovered: StartedEngine;
  try {
    recovered = await startRecovered(launch);
  } catch (thrown) {
    signal.throwIfAborted();
    return await restoreOldDatabase(launch, TremplinError.from(thrown));
  }
  return await finishReset(launch, recovered);
}

/** From here on the new database counts, whatever fails: the next launch continues from the phase on disk. */
async function finishReset(
  { managed, reset, report, log }: ManagedLaunch,
  { engine, missing }: StartedEngine,
): Promise<PreparedEngine> {
  report({ status: "resetting", step: "discarding" });
  try {
    const remark = await concludeReset(reset, managed.folder, missing, log);
    return { engine, remark: [remark, remarkOnUnused(reset, managed.folder)].filter(Boolean).join(" ") };
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

/** Where the old database does not work either, the reason why the reset failed is thrown. */
async function restoreOldDatabase(launch: ManagedLaunch, why: TremplinError): Promise<PreparedEngine> {
  const { managed, reset, report, log } = launch;
  log.error({ error: why }, "the reset failed: the old database is restored");
  const sentence = `a new database for the engine does not work (${why.message}); the old one is in use again`;
  report({ status: "resetting", step: "restoring", reason: sentence });
  try {
    await managed.stopAll();
    await reset.restore();
    await removeWanted(managed.folder);
    // The old database may be the one that is lost, and its engine would delete every image.
    const guard = new ImageGuard(managed.folder, managed.layout, log);
    await guard.raise();
    report({ status: "starting", step: "launching" });
    const { engine } = await startPrepared(launch);
    await guard.lower();
    const unused = remarkOnUnused(reset, managed.folder);
    return { engine, remark: unused ? `${sentence}. ${unused}` : sentence };
  } catch (error) {
    log.error({ error }, "the old database does not work either");
    throw why;
  }
}

function remarkOnUnused({ unused }: DatabaseReset, folder: string): string {
  if (unused.length === 0) return "";
  return `What was made in the engine while its reset was interrupted is kept in ${folder} (${unused.join(", ")}); see docs/recovery.md`;
}

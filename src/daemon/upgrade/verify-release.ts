import type { Clock } from "../../base/async/clock.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { ContainerExec } from "./container-exec.ts";
import { readContainerRelease } from "./container-release.ts";
import { compareHealth, type Health } from "./health.ts";
import { joinNames, plainLine } from "./output-lines.ts";
import { type Release, releaseName } from "./releases.ts";
import { readBusyUnits, readInitState } from "./systemd-units.ts";

/** How long the init system may take to start. */
const BOOT_TIMEOUT_MS = 180_000;
/** How long names, addresses and services may take after that. */
const SETTLE_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 500;

/**
 * Verifies a restarted container: its release, and that what worked before the upgrade works. Then syncs its disk. Throws
 * `failed` with what is lost. Returns notes to report.
 */
export async function verifyRelease(
  exec: ContainerExec,
  release: Release,
  before: Health,
  clock: Clock,
): Promise<string[]> {
  const notes = await waitForInit(exec, before, clock);
  await verifyVersion(exec, release);
  notes.push(...(await waitForHealth(exec, before, clock)));
  await exec.runOrThrow("writing everything to the disk", ["sync", "--file-system", "/"]);
  return notes;
}

async function verifyVersion(exec: ContainerExec, release: Release): Promise<void> {
  const found = await readContainerRelease(exec);
  if (found.version === release.version) return;
  throw new TremplinError(
    "failed",
    `its os-release says ${releaseName(found)} after the upgrade to ${releaseName(release)}`,
  );
}

async function waitForHealth(exec: ContainerExec, before: Health, clock: Clock): Promise<readonly string[]> {
  const end = clock.elapsed() + SETTLE_TIMEOUT_MS;
  for (;;) {
    const { lost, mayStillCome, notes } = await compareHealth(exec, before);
    if (lost.length === 0) return notes;
    if (!mayStillCome || clock.elapsed() > end) {
      throw new TremplinError(
        "failed",
        plainLine(`what worked before the upgrade does not work any more: ${joinNames(lost, 20)}`),
      );
    }
    await clock.sleep(POLL_INTERVAL_MS, exec.signal);
  }
}

/**
 * Waits until systemd has started everything it can; what was stuck before the upgrade may be stuck again. Another
 * init system counts as started if programs run.
 */
async function waitForInit(exec: ContainerExec, before: Health, clock: Clock): Promise<string[]> {
  const end = clock.elapsed() + BOOT_TIMEOUT_MS;
  for (;;) {
    const state = await readInitState(exec);
    if (state === "running" || state === "degraded") return [];
    if (!isAnswer(state) && !isAnswer(before.initState)) return [];
    const busy = await readBusyUnits(exec);
    if (busy.length > 0 && busy.every((name) => before.busyUnits.includes(name))) return [];
    if (clock.elapsed() > end) {
      if (isAnswer(state)) return [`its init system is still starting: ${joinNames(busy)}`];
      throw new TremplinError("failed", `its init system has not started within ${BOOT_TIMEOUT_MS / 1000} s`);
    }
    await clock.sleep(POLL_INTERVAL_MS, exec.signal);
  }
}

/** Whether systemd runs as the init system. */
function isAnswer(state: string): boolean {
  return /^(initializing|starting|running|degraded|maintenance|stopping)$/.test(state);
}

import { replaceFile } from "../../guest/container-files.ts";
import { crosAptList, crosAptListPath } from "../../guest/cros-apt-list.ts";
import { readOsRelease } from "../../guest/os-release.ts";
import type { OperationDeps } from "../operation-deps.ts";

/** The newest Debian release for which the site has packages. */
const NEWEST_RELEASE = "bookworm";
/** A hostile container must not delay its start for long. */
const LIST_TIMEOUT_MS = 3_000;

/** Google's key for Linux packages, which expires from time to time. */
const KEY = "EB4C1BFD4F042F6DDDCCEC917721F63BD38B4796";
/** The refresh must not slow down what a person does right after the start. */
const REFRESH_DELAY_MS = 60_000;
const REFRESH_TIMEOUT_MS = 120_000;
/** The exit code that engines report for a program that the container does not have. */
const NO_SUCH_PROGRAM = 127;

type RefreshDeps = Pick<OperationDeps, "engine" | "site" | "shutdownSignal" | "clock" | "log">;

/** Writes the site's list of package sources into a Debian container (docs/contract.md#apt-sources). */
export async function writeAptList(
  deps: OperationDeps,
  container: string,
  signal: AbortSignal,
): Promise<void> {
  if (!deps.site.crosAptList || deps.milestone === undefined) return;
  using files = await deps.engine().fileSession(container, { signal, timeoutMs: LIST_TIMEOUT_MS });
  const list = crosAptList(await readOsRelease(files), Number(deps.milestone), NEWEST_RELEASE);
  if (list === undefined) return;
  await replaceFile(files, crosAptListPath, Buffer.from(list), { uid: 0, gid: 0, mode: 0o644 });
}

/**
 * A minute after a Debian container started, has its apt fetch the key of the site's packages again
 * (docs/contract.md#startcontainer). Does nothing if the container was stopped meanwhile or has no apt-key. Stops at
 * the shutdown of the daemon. Never throws: only logs how it went.
 */
export async function refreshAptKey(deps: RefreshDeps, container: string): Promise<void> {
  const { clock, shutdownSignal, site } = deps;
  if (!site.crosAptList) return;
  const log = deps.log.child({ container });
  try {
    const { pid } = await deps.engine().instances.state(container, { signal: shutdownSignal });
    await clock.sleep(REFRESH_DELAY_MS, shutdownSignal);
    const engine = deps.engine();
    if ((await engine.instances.state(container, { signal: shutdownSignal })).pid !== pid) return;
    if (!(await isDebian(deps, container))) return;
    const command = ["apt-key", "adv", "--refresh-keys", "--keyserver", "keyserver.ubuntu.com", KEY];
    const signal = AbortSignal.any([shutdownSignal, AbortSignal.timeout(REFRESH_TIMEOUT_MS)]);
    const { exitCode, stderr } = await engine.execCapture(container, command, { signal, maxBytes: 4096 });
    if (exitCode === NO_SUCH_PROGRAM) return;
    log.info({ exitCode, ...(exitCode !== 0 && { stderr }) }, "refreshed the apt key of the container");
  } catch (error) {
    if (!shutdownSignal.aborted) log.info({ error }, "the apt key of the container was not refreshed");
  }
}

async function isDebian({ engine, shutdownSignal }: RefreshDeps, container: string): Promise<boolean> {
  using files = await engine().fileSession(container, { signal: shutdownSignal });
  return (await readOsRelease(files)).message.id === "debian";
}

import { readOsRelease } from "../../guest/os-release.ts";
import type { OperationDeps } from "../operation-deps.ts";

/** Google's key for Linux packages, which expires from time to time. */
const KEY = "EB4C1BFD4F042F6DDDCCEC917721F63BD38B4796";
/** After the start: what a person wants then must not wait for this. Milliseconds. */
const LATER = 60_000;
const TIME_LIMIT = 120_000;
/** What engines answer for a program that the container does not have. */
const NO_SUCH_PROGRAM = 127;

type Needed = Pick<OperationDeps, "engine" | "site" | "shutdownSignal" | "clock" | "log">;

/**
 * Once, a minute after a Debian container started, has its apt fetch the key of the place's packages anew
 * (behaviour.md 5.4 h, 12 item 33). Not if it was stopped meanwhile; where there is no apt-key nothing needs it.
 * Ends with the daemon. Never throws: whatever comes of it is only logged.
 */
export async function refreshAptKey(tools: Needed, container: string): Promise<void> {
  const { clock, shutdownSignal, site } = tools;
  if (!site.crosAptList) return;
  const log = tools.log.child({ container });
  try {
    const { pid } = await tools.engine().instances.state(container, { signal: shutdownSignal });
    await clock.sleep(LATER, shutdownSignal);
    const engine = tools.engine();
    if ((await engine.instances.state(container, { signal: shutdownSignal })).pid !== pid) return;
    if (!(await isDebian(tools, container))) return;
    const command = ["apt-key", "adv", "--refresh-keys", "--keyserver", "keyserver.ubuntu.com", KEY];
    const signal = AbortSignal.any([shutdownSignal, AbortSignal.timeout(TIME_LIMIT)]);
    const { exitCode, stderr } = await engine.execCapture(container, command, { signal, maxBytes: 4096 });
    if (exitCode === NO_SUCH_PROGRAM) return;
    log.info({ exitCode, ...(exitCode !== 0 && { stderr }) }, "asked for its apt key anew");
  } catch (error) {
    if (!shutdownSignal.aborted) log.info({ error }, "its apt key is not refreshed");
  }
}

async function isDebian({ engine, shutdownSignal }: Needed, container: string): Promise<boolean> {
  using files = await engine().fileSession(container, { signal: shutdownSignal });
  return (await readOsRelease(files)).message.id === "debian";
}

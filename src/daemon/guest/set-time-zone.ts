import { TimeLimit } from "../../base/async/time-limit.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { replaceFile, replaceLink, resolveFileLinks } from "./container-files.ts";
import { findZone, LOCAL_TIME, ZONES } from "./find-zone.ts";
import { isPosixTimeZone } from "./time-zone.ts";

/** A time zone, checked by checkTimeZoneName and checkPosixTimeZone. */
export interface TimeZone {
  /** For example "Europe/Berlin". */
  readonly name: string;
  /** Its rule for the variable TZ; empty if there is no fallback. */
  readonly posix: string;
}

/** `timedatectl` is killed after this. */
const TIMEDATECTL_TIMEOUT_MS = 10_000;
const VARIABLE = "environment.TZ";
/** Records the value of TZ that the daemon has set; older versions recorded none. */
const OWN_VALUE_MARK = "user.tremplin.time-zone";
const NAME_FILE = "/etc/timezone";

/**
 * Sets the time zone of a container (docs/contract.md#settimezone), in the first way that works: `timedatectl` in a
 * running container, a link to the zone's file, or the variable TZ of the programs that the engine starts. Returns what
 * a person must know of the way that worked, or "". Throws `failed` with the reason of each failed way.
 */
export async function setTimeZone(
  engine: Engine,
  container: Instance,
  zone: TimeZone,
  signal: AbortSignal,
): Promise<string> {
  const isRunning = container.status_code === instanceStatus.running;
  const found = await findZone(engine, container.name, zone.name, signal).catch((error) => {
    signal.throwIfAborted();
    return { name: undefined, problem: errorMessage(error), isSafe: true };
  });
  const name = found.name ?? zone.name;
  const byFile = async () => {
    if (found.name === undefined) throw new TremplinError("failed", found.problem);
    await setByLink(engine, container, name, signal);
  };
  const ways = [
    ...(isRunning && found.isSafe ? [() => setByTimedatectl(engine, container, name, signal)] : []),
    byFile,
    ...(zone.posix === "" ? [] : [() => setVariable(engine, container, zone.posix, signal)]),
  ];
  const failures: string[] = [];
  for (const way of ways) {
    try {
      await way();
      return failures.includes(found.problem) ? onlyVariable(container.name, zone.name, found.problem) : "";
    } catch (error) {
      signal.throwIfAborted();
      failures.push(errorMessage(error));
    }
  }
  throw new TremplinError("failed", failures.join("; "));
}

function onlyVariable(container: string, zone: string, problem: string): string {
  return `in ${container} only programs that are started from outside have the time zone ${zone} (by ${VARIABLE}): ${problem}; install the packages tzdata and tzdata-legacy in it, where its release has them, and set the zone again`;
}

async function setByTimedatectl(
  engine: Engine,
  { name: container, config }: Instance,
  zone: string,
  outer: AbortSignal,
): Promise<void> {
  const timeoutError = () =>
    new TremplinError("failed", `timedatectl did not end within ${TIMEDATECTL_TIMEOUT_MS / 1000} s`);
  using limit = new TimeLimit(TIMEDATECTL_TIMEOUT_MS, timeoutError, [outer]);
  const { exitCode, stderr } = await engine.execCapture(container, ["timedatectl", "set-timezone", zone], {
    signal: limit.signal,
    maxBytes: 1024,
  });
  if (exitCode === 127) throw new TremplinError("failed", "it has no timedatectl");
  if (exitCode !== 0) {
    const message = stderr.replace(/\s+/g, " ").trim();
    throw new TremplinError("failed", `timedatectl ended with ${exitCode}: ${message}`);
  }
  using files = await engine.fileSession(container, { signal: outer });
  // Debian's timedatectl does not update this file, which older programs read.
  if (await files.lstat(NAME_FILE).catch(ifMissing)) await writeName(files, zone);
  await removeVariable(engine, container, config, outer);
}

async function setByLink(
  engine: Engine,
  { name: container, config }: Instance,
  zone: string,
  signal: AbortSignal,
): Promise<void> {
  using files = await engine.fileSession(container, { signal });
  await replaceLink(files, LOCAL_TIME, `${ZONES}/${zone}`);
  await writeName(files, zone);
  await removeVariable(engine, container, config, signal);
}

async function writeName(files: FileSession, zone: string): Promise<void> {
  const path = await resolveFileLinks(files, NAME_FILE);
  await replaceFile(files, path, Buffer.from(`${zone}\n`), { uid: 0, gid: 0, mode: 0o644 });
}

async function setVariable(
  engine: Engine,
  { name: container, config }: Instance,
  rule: string,
  signal: AbortSignal,
): Promise<void> {
  if (config[VARIABLE] !== undefined && !isOwnValue(config)) {
    throw new TremplinError(
      "failed",
      `${VARIABLE} has the value ${config[VARIABLE]}, which the daemon did not set`,
    );
  }
  const change = { [VARIABLE]: rule, [OWN_VALUE_MARK]: rule };
  await engine.instances.update(
    container,
    (instance) => ({ ...instance, config: { ...instance.config, ...change } }),
    { signal },
  );
}

/** An earlier fallback would override the zone that was set by name. */
async function removeVariable(
  engine: Engine,
  container: string,
  before: Instance["config"],
  signal: AbortSignal,
): Promise<void> {
  if (before[VARIABLE] === undefined || !isOwnValue(before)) return;
  await engine.instances.update(
    container,
    (instance) => {
      const config = Object.entries(instance.config).filter(
        ([key]) => key !== VARIABLE && key !== OWN_VALUE_MARK,
      );
      return { ...instance, config: Object.fromEntries(config) };
    },
    { signal },
  );
}

/** Without a record: a person sets a name ("Europe/Berlin"), older versions of the daemon set a rule. */
function isOwnValue({ [VARIABLE]: value = "", [OWN_VALUE_MARK]: ours }: Instance["config"]): boolean {
  return ours === undefined ? isPosixTimeZone(value) : value === ours;
}

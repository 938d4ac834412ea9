import { TimeLimit } from "../../base/async/time-limit.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { replaceFile, replaceLink, resolveFileLinks } from "./container-files.ts";
import { isPosixTimeZone } from "./time-zone.ts";

/** A time zone, checked by checkTimeZoneName and checkPosixTimeZone. */
export interface TimeZone {
  /** For example "Europe/Berlin". */
  readonly name: string;
  /** The rule of it for the variable TZ; empty if there is none to fall back on. */
  readonly posix: string;
}

/** How long `timedatectl` may take before it is killed. Milliseconds. */
const TIMEDATECTL_TIMEOUT_MS = 10_000;
const VARIABLE = "environment.TZ";
/** The key that says which value of it is ours; older versions had none. */
const OWN_VALUE_MARK = "user.tremplin.time-zone";
const NAME_FILE = "/etc/timezone";

/**
 * Sets the time zone of a container (behaviour.md 5.9): by name where the container knows it, through its own
 * tool while it runs, else as a link to the zone's file; or else by the variable TZ, which programs see that
 * the engine starts. Throws `failed` with all that was tried.
 */
export async function setTimeZone(
  engine: Engine,
  container: Instance,
  zone: TimeZone,
  signal: AbortSignal,
): Promise<void> {
  const isRunning = container.status_code === instanceStatus.running;
  const ways = [
    ...(isRunning ? [() => setByTimedatectl(engine, container, zone.name, signal)] : []),
    () => setByLink(engine, container, zone.name, signal),
    ...(zone.posix === "" ? [] : [() => setVariable(engine, container, zone.posix, signal)]),
  ];
  const failures: string[] = [];
  for (const way of ways) {
    try {
      await way();
      return;
    } catch (error) {
      signal.throwIfAborted();
      failures.push(errorMessage(error));
    }
  }
  throw new TremplinError("failed", failures.join("; "));
}

async function setByTimedatectl(
  engine: Engine,
  { name: container, config }: Instance,
  zone: string,
  outer: AbortSignal,
): Promise<void> {
  const late = () =>
    new TremplinError("failed", `timedatectl did not end within ${TIMEDATECTL_TIMEOUT_MS / 1000} s`);
  using limit = new TimeLimit(TIMEDATECTL_TIMEOUT_MS, late, [outer]);
  const { exitCode, stderr } = await engine.execCapture(container, ["timedatectl", "set-timezone", zone], {
    signal: limit.signal,
    maxBytes: 1024,
  });
  if (exitCode === 127) throw new TremplinError("failed", "it has no timedatectl");
  if (exitCode !== 0) {
    const words = stderr.replace(/\s+/g, " ").trim();
    throw new TremplinError("failed", `timedatectl ended with ${exitCode}: ${words}`);
  }
  using files = await engine.fileSession(container, { signal: outer });
  // Debian's timedatectl leaves behind what older programs read.
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
  const target = `/usr/share/zoneinfo/${zone}`;
  const found = await files.stat(target).catch(ifMissing);
  if (found?.type !== "file") throw new TremplinError("failed", `it has no file ${target}`);
  await replaceLink(files, "/etc/localtime", target);
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
    throw new TremplinError("failed", `somebody has set ${VARIABLE} to ${config[VARIABLE]}, which stays`);
  }
  const change = { [VARIABLE]: rule, [OWN_VALUE_MARK]: rule };
  await engine.instances.update(
    container,
    (instance) => ({ ...instance, config: { ...instance.config, ...change } }),
    { signal },
  );
}

/** What was set when the container did not know the zone yet would win over the name. */
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

/** A person who sets it names a zone, as "Europe/Berlin"; what older versions set is a rule. */
function isOwnValue({ [VARIABLE]: value = "", [OWN_VALUE_MARK]: ours }: Instance["config"]): boolean {
  return ours === undefined ? isPosixTimeZone(value) : value === ours;
}

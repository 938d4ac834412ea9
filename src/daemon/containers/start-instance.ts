import { TimeLimit } from "../../base/async/time-limit.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";

/** For reading the log. */
const TIME_LIMIT_MS = 5_000;
/** Only the end of a log is read. */
const MAX_LOG_BYTES = 256 * 1024;
const MAX_ERROR_LENGTH = 200;

/** The engine's own account of a start that failed below it: the call of a helper, and no cause. */
const NO_CAUSE = /\bfork(start|exec)\b|exit status \d+|Failed to run:/;

/** What liblxc logs after the cause, about the same failure. */
const CONSEQUENCES =
  /Received container state|Failed to (initialize|spawn|start|set ?up|create|run|receive|sync|destroy) (the )?(container|child|daemonized|lxc)|Failed to (spawn|clone|start)\b|The container failed|Expected (sequence|to receive)|Additional information|container is not (running|defined)|Ended up with/i;

/** What helps, by a word of the cause. */
const advice: readonly (readonly [RegExp, string])[] = [
  [
    /cgroup/i,
    "cgroup2 must be mounted at /sys/fs/cgroup of this machine and writable (mount -t cgroup2 none /sys/fs/cgroup)",
  ],
  [
    /apparmor/i,
    "load the profiles of AppArmor (systemctl restart apparmor), or install the package apparmor",
  ],
  [
    /id ?map|[ug]id_map|newuidmap|newgidmap|user namespace/i,
    "root needs subordinate ids; tremplin doctor checks them",
  ],
  [/no space left/i, "free space on the disk of the engine"],
  [/seccomp/i, "the kernel or liblxc refuses the seccomp profile; restart the engine after an update"],
  [
    /exec.*\binit\b|\/sbin\/init/i,
    "the container has no /sbin/init: it was not made from an image of a system",
  ],
  [/network|veth|bridge|netns/i, "look at the engine's bridge; tremplin doctor checks it"],
  [
    /mount|No such file or directory/i,
    "a file or folder that the container mounts may be missing or not readable",
  ],
];

/** Starts a container. A failure says what the container's own log at the engine has as its cause. */
export async function startInstance(engine: Engine, name: string, signal?: AbortSignal): Promise<void> {
  try {
    await (await engine.instances.setState(name, { action: "start" }, { signal })).wait({ signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw await explain(engine, name, TremplinError.from(error), signal);
  }
}

async function explain(
  engine: Engine,
  name: string,
  error: TremplinError,
  signal: AbortSignal | undefined,
): Promise<TremplinError> {
  if (error.code !== "failed" || !NO_CAUSE.test(error.message)) return error;
  const errors = startErrors(await readLog(engine, name, signal));
  signal?.throwIfAborted();
  const sentence =
    errors.length > 0
      ? `${name} does not start: ${errors.join("; ")} (from its log at the engine); ${adviceFor(errors)}`
      : `${name} does not start, and its log at the engine has no reason; tremplin debug collects all logs`;
  return new TremplinError("failed", sentence, error);
}

/** The causes in a log of liblxc, first to last: at most three of its errors that are no consequence of another. */
export function startErrors(log: string): string[] {
  const errors = log.split("\n").flatMap((line) => {
    const text =
      /^\S+ (?:\S+ )?\d{14}(?:\.\d+)? (?:ERROR|FATAL|CRIT)\s+\S+ - (?:\S+?:\S*?:\d+ - )?(.*)$/.exec(
        line,
      )?.[1];
    return text ? [plain(text)] : [];
  });
  const causes = errors.filter((text) => !CONSEQUENCES.test(text));
  return [...new Set(causes.length > 0 ? causes : errors)].slice(-3);
}

export function adviceFor(errors: readonly string[]): string {
  const found = advice.find(([word]) => errors.some((text) => word.test(text)));
  return found?.[1] ?? "tremplin debug shows the whole log";
}

/** Without the control characters that a file name in the container may put into it. */
function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}]/gu, " ")
    .trim()
    .slice(0, MAX_ERROR_LENGTH);
}

/** Empty where there is no log, or it cannot be read. */
async function readLog(engine: Engine, name: string, outer: AbortSignal | undefined): Promise<string> {
  using limit = new TimeLimit(TIME_LIMIT_MS, () => new TremplinError("timed-out", "it is late"), [outer]);
  try {
    let tail = Buffer.alloc(0);
    const log = await engine.instances.log(name, "lxc.log", { signal: limit.signal });
    for await (const chunk of log as AsyncIterable<Buffer>) {
      tail = Buffer.concat([tail, chunk]).subarray(-MAX_LOG_BYTES);
    }
    return tail.toString();
  } catch {
    return "";
  }
}

import { open, opendir, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/async/clock.ts";
import { bytesOfFile, textIfReadable } from "../../base/files/files.ts";
import type { Problem } from "./problem.ts";

/** From this share of a limit on it is reported: the next container may reach it. */
const ALMOST = 0.9;
const LIMITS = {
  max_user_instances: { what: "instances", raised: 1024 },
  max_user_watches: { what: "watches", raised: 1_048_576 },
} as const;

type Limit = keyof typeof LIMITS;

type Used = Record<Limit, number>;

/** A container decides how many processes and files there are to look at. */
const TIME_MS = 2_000;
const FILES_PER_PROCESS = 4_096;
const FILES_AT_ONCE = 32;

interface Counting {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** For tests. */
  readonly proc?: string;
}

/**
 * Whether the kernel's limits for watching files are almost reached. Each systemd has several instances, and those of
 * all containers count for root, who made their user namespaces. Counting ends after 2 s: what it found until then is
 * reported.
 */
export async function findInotifyLimits({ clock, signal, proc = "/proc" }: Counting): Promise<Problem[]> {
  const limits = { max_user_instances: 0, max_user_watches: 0 };
  for (const name of Object.keys(LIMITS) as Limit[])
    limits[name] = Number(await textIfReadable(join(proc, "sys/fs/inotify", name)));
  const count = new Count(proc, limits, { clock, signal });
  await count.run();
  const found: Problem[] = [];
  for (const [name, { what, raised }] of Object.entries(LIMITS) as [Limit, (typeof LIMITS)[Limit]][]) {
    const limit = limits[name];
    const used = count.used[name];
    if (!(limit > 0) || used < limit * ALMOST) continue;
    const key = `fs.inotify.${name}`;
    const value = Math.max(raised, limit * 4);
    const number = count.isCut ? `at least ${used} (counting was cut short)` : `${used}`;
    found.push({
      area: "inotify",
      problem: `${number} of ${limit} ${what} of inotify are in use: programs in containers fail with "Too many open files" or "No space left on device"`,
      advice: `sysctl -w ${key}=${value}; echo ${key}=${value} >> /etc/sysctl.d/60-tremplin.conf`,
    });
  }
  return found;
}

/** Counts what containers use, one process after the other, until that is enough or the time is over. */
class Count {
  readonly used: Used = { max_user_instances: 0, max_user_watches: 0 };
  readonly #proc: string;
  readonly #limits: Used;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #end: number;
  #isCut = false;

  constructor(proc: string, limits: Used, { clock, signal }: Omit<Counting, "proc">) {
    this.#proc = proc;
    this.#limits = limits;
    this.#signal = signal;
    this.#clock = clock;
    this.#end = clock.elapsed() + TIME_MS;
  }

  /** Whether there may be more than was counted. */
  get isCut(): boolean {
    return this.#isCut;
  }

  async run(): Promise<void> {
    const own = await userNamespace(join(this.#proc, "self"));
    const pids = (await readdir(this.#proc).catch(() => [])).filter((name) => /^\d+$/.test(name));
    for (const pid of pids) {
      if (this.#mustEnd()) return;
      const folder = join(this.#proc, pid);
      const isRoot = /^Uid:\s+0\s/m.test(await textIfReadable(join(folder, "status")));
      if (!isRoot && (await userNamespace(folder)) === own) continue;
      await this.#countProcess(folder);
    }
  }

  async #countProcess(folder: string): Promise<void> {
    const names = await this.#filesOf(folder);
    for (let at = 0; at < names.length && !this.#mustEnd(); at += FILES_AT_ONCE) {
      const some = names.slice(at, at + FILES_AT_ONCE);
      const targets = await Promise.all(
        some.map((name) => readlink(join(folder, "fd", name)).catch(() => "")),
      );
      for (const name of some.filter((_, index) => targets[index] === "anon_inode:inotify")) {
        this.used.max_user_instances++;
        await this.#countWatches(join(folder, "fdinfo", name));
      }
    }
  }

  async #filesOf(folder: string): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const { name } of await opendir(join(folder, "fd"))) {
        if (names.length === FILES_PER_PROCESS) {
          this.#isCut = true;
          break;
        }
        names.push(name);
      }
    } catch {
      // It ended meanwhile.
    }
    return names;
  }

  /** Each watch has a line in the file, which may be far larger than memory should hold. */
  async #countWatches(path: string): Promise<void> {
    try {
      await using file = await open(path);
      let rest = "";
      for await (const chunk of bytesOfFile(file)) {
        const lines = (rest + chunk.toString("latin1")).split("\n");
        rest = lines.pop() ?? "";
        this.used.max_user_watches += lines.filter((line) => line.startsWith("inotify ")).length;
        if (this.#mustEnd()) return;
      }
    } catch {
      this.#signal?.throwIfAborted();
      // It was closed meanwhile.
    }
  }

  /** Throws the reason of the signal. */
  #mustEnd(): boolean {
    this.#signal?.throwIfAborted();
    const isEnough = (Object.keys(LIMITS) as Limit[]).every((name) => this.used[name] >= this.#limits[name]);
    if (!isEnough && this.#clock.elapsed() < this.#end) return false;
    this.#isCut = true;
    return true;
  }
}

/** "" for a process that has ended. */
function userNamespace(folder: string): Promise<string> {
  return readlink(join(folder, "ns/user")).catch(() => "");
}

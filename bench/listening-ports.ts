import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { TestDaemon } from "../test/support/daemon.ts";
import { createTiny, launchedDaemon, startContainer } from "../test/support/tiny-container.ts";

const CONTAINERS = 20;
const CHANGES = 40;
/** How long the processor time is added up. Milliseconds. */
const WINDOW = 20_000;
/** What the work before leaves to do, such as giving memory back, is not counted. Milliseconds. */
const SETTLING = 10_000;
/** The kernel counts processor time in hundredths of a second. Milliseconds. */
const TICK = 10;

/**
 * Prints how long after a command in a container the host is notified of a port that was opened or closed, and the
 * part of one core that the whole daemon takes with 20 idle containers, and with 100 changes a second in one
 * of them. Needs root and LXD.
 */
export async function benchListeningPorts(): Promise<void> {
  await using daemon = await launchedDaemon();
  const names = Array.from({ length: CONTAINERS }, (_, index) => `c${index}`);
  for (const name of names) await createTiny(daemon, name);
  for (const name of names) await startContainer(daemon, name);
  await using shell = openShell(daemon, "c0");
  await delay(SETTLING);
  print("idle, 20 containers", percent(await processorShare(daemon)));

  const opened: number[] = [];
  const closed: number[] = [];
  for (let change = 0; change < CHANGES; change++) {
    const port = 10_000 + change;
    opened.push(await shell.until(`nc -l -p ${port} </dev/null >/dev/null 2>&1 &`, port, true));
    // Not in step with the daemon's rounds.
    await delay(Math.random() * 400);
    closed.push(await shell.until("kill $!", port, false));
    await delay(Math.random() * 400);
  }
  print("opened until reported", spread(opened));
  print("closed until reported", spread(closed));

  shell.write(TURNOVER);
  await delay(SETTLING);
  const before = daemon.listener.notices.length;
  print("100 changes a second in one container", percent(await processorShare(daemon)));
  const notices = daemon.listener.notices.length - before;
  print("notices meanwhile", `${(notices / (WINDOW / 1000)).toFixed(1)} a second`);
}

/** Fifty times a second one listener opens and the one that has been there for a second closes. */
const TURNOVER = `i=0; while :; do nc -l -p $((20000 + i)) </dev/null >/dev/null 2>&1 & set -- "$@" $!
  if [ $# -gt 50 ]; then kill $1; wait $1 2>/dev/null; shift; fi; i=$(((i + 1) % 10000)); sleep 0.02; done`;

/** A shell in a container, by the engine's own command line. */
function openShell(daemon: TestDaemon, container: string) {
  const environment = { LXD_DIR: join(daemon.folder, "state/lxd"), LXD_CONF: daemon.folder };
  const child: ChildProcessByStdio<Writable, null, null> = spawn("lxc", ["exec", container, "--", "sh"], {
    env: { ...process.env, ...environment },
    stdio: ["pipe", "ignore", "ignore"],
  });
  const write = (line: string): void => void child.stdin.write(`${line}\n`);
  return {
    write,
    /** Milliseconds from the command until the host is notified that the port is open or closed. */
    async until(command: string, port: number, listened: boolean): Promise<number> {
      const seen = daemon.listener.notices.length;
      const start = performance.now();
      write(command);
      await daemon.listener.when((notice) => {
        if (notice.kind !== "ports" || daemon.listener.notices.indexOf(notice) < seen) return false;
        const lists = (notice.message as { containerPorts: Record<string, { listeningTcp4Ports: number[] }> })
          .containerPorts;
        return lists[container]?.listeningTcp4Ports.includes(port) === listened;
      }, `port ${port}`);
      return performance.now() - start;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
    },
  };
}

/** The part of one core that a daemon takes, from 0 to 1 or more. */
async function processorShare({ pid }: TestDaemon): Promise<number> {
  const before = await ticks(pid);
  const start = performance.now();
  await delay(WINDOW);
  return ((await ticks(pid)) - before) * (TICK / (performance.now() - start));
}

/** User and system time of all threads of a process. */
async function ticks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function spread(milliseconds: readonly number[]): string {
  const sorted = [...milliseconds].sort((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} % of a core`;
}

function print(what: string, value: string): void {
  console.log(`listening ports: ${what.padEnd(40)} ${value}`);
}

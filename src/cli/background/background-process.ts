import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setAside } from "../../base/files/json-file.ts";
import { makeOwnFolder } from "../../base/files/own-folder.ts";
import { LOG_BYTES, rotateLog } from "../../base/files/rotate-logs.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { findProcess } from "./find-process.ts";
import {
  isAlive,
  type ProcessRecord,
  readRecord,
  recordOf,
  removeRecord,
  writeRecord,
} from "./process-record.ts";

const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;

/** `machine` is the QEMU of tremplin machine. */
export type ProcessName = "daemon" | "host" | "machine";

/** On which each of them listens, in the run folder: so it is found without its pid file. */
const sockets: Readonly<Record<ProcessName, string>> = {
  daemon: "guest.sock",
  host: "host.sock",
  machine: "monitor.sock",
};

/** A program that runs in the background, with its pid file and its log in the run folder. */
export class BackgroundProcess {
  readonly name: ProcessName;
  readonly pidFile: string;
  /** Its path, or the command that shows it. */
  readonly logFile: string;
  /** Whether systemd runs it, with the options of its unit. */
  readonly isService: boolean = false;
  readonly #folder: string;
  /** The offset in the log at which the started process began to write. */
  #logStart = 0;

  constructor(name: ProcessName, folder: string, logFile = join(folder, `${name}.log`)) {
    this.name = name;
    this.#folder = folder;
    this.pidFile = join(folder, `${name}.pid`);
    this.logFile = logFile;
  }

  /**
   * The process that was started last, running or not; undefined when there was none, or it was stopped. A damaged pid
   * file is set aside, and written again for a process that runs.
   */
  async record(): Promise<ProcessRecord | undefined> {
    const record = await readRecord(this.pidFile);
    if (record !== "damaged") return record;
    const found = await findProcess(this.name, join(this.#folder, sockets[this.name]));
    const outcome = found ? `process ${found.pid} is the one that runs` : "no process of its kind runs";
    const nowhere = { error: () => undefined };
    // A kill in between must not hide a process that runs.
    const replacement = found && (async () => JSON.stringify(found));
    await setAside(this.pidFile, `it is damaged; ${outcome}`, nowhere, replacement);
    return found;
  }

  async findRunning(): Promise<ProcessRecord | undefined> {
    const record = await this.record();
    return record && isAlive(record) ? record : undefined;
  }

  /**
   * Starts a process in a session of its own, so that it survives this command and its terminal. `program`: the
   * executable, and a script if it is a runtime.
   */
  async start(program: readonly string[], args: readonly string[]): Promise<ProcessRecord> {
    await makeOwnFolder(this.#folder);
    // A full disk, for example, must not be in the way of a start.
    await rotateLog(this.logFile, LOG_BYTES).catch(() => undefined);
    await using log = await open(this.logFile, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    this.#logStart = (await log.stat()).size;
    const [runtime, ...script] = program as [string, ...string[]];
    const child = spawn(runtime, [...script, ...args], {
      cwd: "/",
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    await once(child, "spawn");
    child.unref();
    const record = recordOf(child.pid as number, args);
    if (!record) throw await this.exitError();
    await writeRecord(this.pidFile, record);
    return record;
  }

  /** Throws when the process has ended, with the end of its log. */
  async assertAlive(record: ProcessRecord): Promise<void> {
    if (isAlive(record)) return;
    await this.forget();
    throw await this.exitError();
  }

  /** For a process that has ended: no later command looks for it. */
  async forget(): Promise<void> {
    await removeRecord(this.pidFile);
  }

  async exitError(): Promise<TremplinError> {
    const whole = await readFile(this.logFile);
    // Since then it may have been rotated.
    const log = whole.toString("utf8", this.#logStart <= whole.length ? this.#logStart : 0);
    const end = log.trimEnd().split("\n").slice(-5).join("\n  ");
    return new TremplinError("failed", `the ${this.name} ended; the end of ${this.logFile}:\n  ${end}`);
  }
}

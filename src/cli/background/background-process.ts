import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  isAlive,
  type ProcessRecord,
  readRecord,
  recordOf,
  removeRecord,
  writeRecord,
} from "./process-record.ts";

/** A log that has grown beyond this is put aside at the next start. Bytes. */
const LOG_BYTES = 8 * 1024 * 1024;

/** `machine` is the QEMU of tremplin machine. */
export type ProcessName = "daemon" | "host" | "machine";

/** One of the programs that run in the background, with its pid file and its log in the run folder. */
export class BackgroundProcess {
  readonly name: ProcessName;
  readonly pidFile: string;
  readonly logFile: string;
  readonly #folder: string;
  /** Where the log of the program that was started here begins. */
  #logStart = 0;

  constructor(name: ProcessName, folder: string) {
    this.name = name;
    this.#folder = folder;
    this.pidFile = join(folder, `${name}.pid`);
    this.logFile = join(folder, `${name}.log`);
  }

  /** What was started here last, alive or not; undefined when nothing was, or it was stopped in order. */
  record(): Promise<ProcessRecord | undefined> {
    return readRecord(this.pidFile);
  }

  /** The same, but only what lives. */
  async living(): Promise<ProcessRecord | undefined> {
    const record = await this.record();
    return record && isAlive(record) ? record : undefined;
  }

  /**
   * Starts the program in a session of its own, so that it outlives this one and its terminal. `program` is
   * what comes before the words: the runtime and the script.
   */
  async start(program: readonly string[], words: readonly string[]): Promise<ProcessRecord> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await this.#putLogAside();
    await using log = await open(this.logFile, "a", 0o600);
    this.#logStart = (await log.stat()).size;
    const [runtime, ...script] = program as [string, ...string[]];
    const child = spawn(runtime, [...script, ...words], {
      cwd: "/",
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    await once(child, "spawn");
    child.unref();
    const record = recordOf(child.pid as number, words);
    if (!record) throw await this.ended();
    await writeRecord(this.pidFile, record);
    return record;
  }

  /** Throws when the program that was started has ended, with the end of its log. */
  async mustLive(record: ProcessRecord): Promise<void> {
    if (isAlive(record)) return;
    await removeRecord(this.pidFile);
    throw await this.ended();
  }

  async ended(): Promise<TremplinError> {
    const log = (await readFile(this.logFile)).toString("utf8", this.#logStart);
    const end = log.trimEnd().split("\n").slice(-5).join("\n  ");
    return new TremplinError("failed", `the ${this.name} ended; the end of ${this.logFile}:\n  ${end}`);
  }

  async #putLogAside(): Promise<void> {
    const size = await stat(this.logFile).then(
      (found) => found.size,
      () => 0,
    );
    if (size > LOG_BYTES) await rename(this.logFile, `${this.logFile}.1`);
  }
}

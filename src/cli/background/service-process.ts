import { existsSync } from "node:fs";
import { join } from "node:path";
import { commandLine } from "../../base/processes/process-info.ts";
import { runProgram } from "../../base/processes/run-program.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { BackgroundProcess } from "./background-process.ts";
import { type ProcessRecord, recordOf } from "./process-record.ts";

type ServiceName = "daemon" | "host";

/** The units of the package, the one of the process first. */
const units: Readonly<Record<ServiceName, readonly [string, ...string[]]>> = {
  daemon: ["tremplin.service", "tremplin-engine.service"],
  host: ["tremplin-host.service", "tremplin.socket"],
};

const UNIT_FOLDERS = ["etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];

/** Whether systemd runs this machine and has the units of the package. Tests give another `root`. */
export function hasServices(root = "/"): boolean {
  if (!existsSync(join(root, "run/systemd/system"))) return false;
  return Object.values(units).every(([unit]) =>
    UNIT_FOLDERS.some((folder) => existsSync(join(root, folder, unit))),
  );
}

/** A background process that systemd starts, restarts and keeps the log of. */
export class ServiceProcess extends BackgroundProcess {
  override readonly isService = true;
  readonly #units: readonly [string, ...string[]];

  constructor(name: ServiceName, folder: string) {
    super(name, folder, `journalctl -u ${units[name][0]}`);
    this.#units = units[name];
  }

  override async record(): Promise<ProcessRecord | undefined> {
    const show = ["show", "--property=MainPID", "--value", this.#units[0]];
    const pid = Number((await runProgram("systemctl", show)).trim());
    if (!(pid > 0)) return undefined;
    const words = await commandLine(pid);
    return recordOf(pid, words.slice(Math.max(1, words.indexOf(this.name))));
  }

  /** Resolves when it serves. The unit has its program and options. */
  override async start(): Promise<ProcessRecord> {
    // The engine's unit would run the command that calls this.
    const started = this.#units.filter((unit) => unit !== "tremplin-engine.service");
    try {
      // After too many failures systemd refuses until this.
      await runProgram("systemctl", ["reset-failed", ...started]).catch(() => undefined);
      await runProgram("systemctl", ["start", ...started]);
    } catch {
      throw await this.exitError();
    }
    const record = await this.record();
    if (!record) throw await this.exitError();
    return record;
  }

  override async forget(): Promise<void> {
    await runProgram("systemctl", ["stop", ...this.#units.toReversed()]);
  }

  override async exitError(): Promise<TremplinError> {
    const [unit] = this.#units;
    const log = await runProgram("journalctl", ["--unit", unit, "--lines=5", "--output=cat"]).catch(() => "");
    const end = log.trimEnd().replaceAll("\n", "\n  ");
    return new TremplinError(
      "failed",
      `${unit} does not run; the end of its log (${this.logFile}):\n  ${end}`,
    );
  }
}

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "../../base/logger.ts";
import { sendSignal } from "../../base/processes/wait-for-exit.ts";
import { errorMessage } from "../../base/tremplin-error.ts";
import type { Flavor } from "../flavors/flavor.ts";
import type { EngineAddress } from "../http/engine-address.ts";

/**
 * The process with which an engine on this machine serves the files of one instance. When it opens a pipe that
 * a user has put there, it hangs forever with one processor busy, and so does every later start, stop and deletion
 * of the instance, even after the request has ended (measured with LXD 5.0.2). The only remedy is to kill it; the
 * engine starts a new one when needed.
 */
export class FileHelper {
  readonly #address: EngineAddress;
  readonly #flavor: Flavor;
  readonly #log: Logger;

  constructor(address: EngineAddress, flavor: Flavor, log: Logger) {
    this.#address = address;
    this.#flavor = flavor;
    this.#log = log;
  }

  /** Kills the process, if there is one on this machine. Other accesses to the instance's files then fail. */
  kill(instance: string): void {
    this.#signal(instance, "SIGKILL", "hangs and cannot be killed, so the instance is blocked");
  }

  /**
   * Asks the process, if there is one on this machine, to end when no access is under way. It lives on for a while
   * after the last access, and blocks the files and the start of an instance that was renamed meanwhile
   * (docs/engines.md#file-access).
   */
  release(instance: string): void {
    this.#signal(
      instance,
      "SIGINT",
      "cannot be asked to end, so the renamed instance may be blocked for half a minute",
    );
  }

  #signal(instance: string, signal: NodeJS.Signals, consequence: string): void {
    if (this.#address.kind !== "unix") return;
    try {
      const { fileServer, fileServerPidFiles } = this.#flavor.processes;
      for (const file of fileServerPidFiles(dirname(this.#address.path), instance)) {
        const pid = Number(read(file));
        const isFileServer = pid > 1 && read(`/proc/${pid}/cmdline`).includes(`\0${fileServer}\0`);
        if (isFileServer) sendSignal(pid, signal);
      }
    } catch (error) {
      this.#log.warn(
        { error },
        `the engine's file server of ${instance} ${consequence}: ${errorMessage(error)}`,
      );
    }
  }
}

/** Synchronous, because an abort listener calls it. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { processIds } from "../../base/processes/process-ids.ts";
import type { Flavor } from "../flavors/flavor.ts";
import type { EngineAddress } from "../http/engine-address.ts";
import type { Options } from "../http/options.ts";
import type { EngineOperation } from "../operations/engine-operation.ts";
import { hasEnded } from "../operations/operation.ts";
import type { Server } from "../resources/server.ts";

/** What an engine unpacks, and for whom: either names the folder that it unpacks into. */
export interface Unpacked {
  readonly fingerprint: string;
  readonly instance: string;
}

const LOOK = 50;

/**
 * The programs by which an engine on this machine unpacks images. Neither LXD nor Incus lets the creation of an
 * instance from its own image be cancelled (`may_cancel` is false); when the program dies, the creation fails and
 * the engine removes what it had made (measured with LXD 5.0.2: 50 ms).
 */
export class Unpackers {
  readonly #address: EngineAddress;
  readonly #programs: readonly string[];
  readonly #server: Server;

  constructor(address: EngineAddress, flavor: Flavor, server: Server) {
    this.#address = address;
    this.#programs = flavor.processes.unpackers;
    this.#server = server;
  }

  /** Resolves when the creation has ended, which this makes soon; of a remote engine it waits for the end. */
  async stop(creation: EngineOperation, what: Unpacked, { signal }: Options = {}): Promise<void> {
    let ended = hasEnded(creation.latest);
    const end = creation.wait({ signal }).then(
      () => undefined,
      () => undefined,
    );
    void end.then(() => {
      ended = true;
    });
    while (!ended) {
      if (this.#address.kind === "unix") await this.#kill(what, signal);
      const timer = Promise.withResolvers<void>();
      const timeout = setTimeout(timer.resolve, LOOK);
      await Promise.race([end, timer.promise]);
      clearTimeout(timeout);
    }
    signal?.throwIfAborted();
  }

  async #kill({ fingerprint, instance }: Unpacked, signal: AbortSignal | undefined): Promise<void> {
    const { pid: engine } = await this.#server.info({ signal });
    for (const pid of await processIds()) {
      const [command, stat] = await Promise.all([read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/stat`)]);
      const [program = "", ...args] = command.split("\0");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      if (parent !== engine || !this.#programs.includes(basename(program))) continue;
      if (args.some((arg) => [fingerprint, instance].includes(basename(arg)))) kill(pid);
    }
  }
}

/** The text of a file of a process, "" when that has ended. */
function read(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

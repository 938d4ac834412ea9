import { basename } from "node:path";
import { processIds } from "../../base/processes/process-ids.ts";
import { commandLine, processStat } from "../../base/processes/process-info.ts";
import { sendSignal } from "../../base/processes/wait-for-exit.ts";
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
      if (processStat(pid)?.parent !== engine) continue;
      const [program = "", ...args] = await commandLine(pid);
      if (!this.#programs.includes(basename(program))) continue;
      if (args.some((arg) => [fingerprint, instance].includes(basename(arg)))) sendSignal(pid, "SIGKILL");
    }
  }
}

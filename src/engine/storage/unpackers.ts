import { basename } from "node:path";
import { commandLine, processIds, processStat } from "../../base/processes/process-info.ts";
import { sendSignal } from "../../base/processes/wait-for-exit.ts";
import type { Flavor } from "../flavors/flavor.ts";
import type { CallOptions } from "../http/call-options.ts";
import type { EngineAddress } from "../http/engine-address.ts";
import type { EngineOperation } from "../operations/engine-operation.ts";
import { hasEnded } from "../operations/operation-record.ts";
import type { Server } from "../resources/server.ts";

/**
 * The image that an engine unpacks, and the new instance. One of them is the name of the folder that it unpacks into.
 */
export interface UnpackTarget {
  readonly fingerprint: string;
  readonly instance: string;
}

const POLL_INTERVAL_MS = 50;

/**
 * The programs with which an engine on this machine unpacks images. Engines cannot cancel the creation of an instance
 * from their own image (`may_cancel` is false). When the program dies, the creation fails and the engine removes the
 * instance (measured with LXD 5.0.2: 50 ms).
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

  /** Ends a creation early, and resolves when it has ended. For a remote engine it only waits. */
  async stop(creation: EngineOperation, what: UnpackTarget, { signal }: CallOptions = {}): Promise<void> {
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
      const timeout = setTimeout(timer.resolve, POLL_INTERVAL_MS);
      await Promise.race([end, timer.promise]);
      clearTimeout(timeout);
    }
    signal?.throwIfAborted();
  }

  async #kill({ fingerprint, instance }: UnpackTarget, signal: AbortSignal | undefined): Promise<void> {
    const { pid: engine } = await this.#server.info({ signal });
    for (const pid of await processIds()) {
      if (processStat(pid)?.parent !== engine) continue;
      const [program = "", ...args] = await commandLine(pid);
      if (!this.#programs.includes(basename(program))) continue;
      if (args.some((arg) => [fingerprint, instance].includes(basename(arg)))) sendSignal(pid, "SIGKILL");
    }
  }
}

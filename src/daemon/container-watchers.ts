import type { Clock } from "../base/async/clock.ts";
import type { Logger } from "../base/logger.ts";
import { isTemporaryName } from "../base/temporary-name.ts";
import type { Engine } from "../engine/engine.ts";
import type { CurrentPorts } from "./connections/current-ports.ts";
import type { HostNotices } from "./notices/host-notices.ts";
import { ContainerStopWatcher } from "./watch/container-stops.ts";
import { ContainerSockets } from "./watch/ports/container-sockets.ts";
import { ListeningPorts } from "./watch/ports/listening-ports.ts";

interface Options {
  readonly notices: Pick<HostNotices, "queue" | "finals">;
  /** The file with the containers that ran, so that a stop without a daemon is noticed. */
  readonly runningFile: string;
  readonly ports: CurrentPorts;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Notifies the host of containers that stop and of ports that open and close. */
export class ContainerWatchers implements AsyncDisposable {
  readonly #ports: ListeningPorts;
  readonly #stops: ContainerStopWatcher;

  constructor({ notices, runningFile, ports: current, clock, log }: Options) {
    const isHidden = isTemporaryName;
    const { queue, finals } = notices;
    const ports = new ListeningPorts({ queue, isHidden, open: ContainerSockets.open, current, clock, log });
    const report = async (containerName: string): Promise<void> => {
      ports.stopped(containerName);
      await finals.notify(containerName, "containerShutdown", { containerName });
    };
    this.#ports = ports;
    this.#stops = new ContainerStopWatcher({ file: runningFile, isHidden, report, clock, log });
  }

  get isBusy(): boolean {
    return this.#ports.areChanging;
  }

  /** Watches an engine from now on. Resolves when every stop until now is on its way to the host. */
  async watch(engine: Engine): Promise<void> {
    await this.#stops.watch(engine);
    this.#ports.watch(engine);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stops[Symbol.asyncDispose]();
    await this.#ports[Symbol.asyncDispose]();
  }
}

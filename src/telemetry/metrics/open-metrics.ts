import type { Logger } from "../../base/logger.ts";
import { type Address, formatAddress } from "../../transport/address.ts";
import { type DaemonReadings, daemonMetrics } from "./daemon-metrics.ts";
import { type HostReadings, hostMetrics } from "./host-metrics.ts";
import { serveMetrics } from "./serve-metrics.ts";
import type { Metrics, MetricsOptions } from "./shared-metrics.ts";

/** Metrics that are served. What is read of the process itself is known only once it has started. */
export interface OpenMetrics<Readings> extends AsyncDisposable {
  readonly address: Address;
  /** From now on they show what this says. */
  show(read: () => Readings): void;
}

type Options = MetricsOptions & { readonly log: Logger };

export function openDaemonMetrics(address: Address, options: Options): Promise<OpenMetrics<DaemonReadings>> {
  return open(address, options, daemonMetrics);
}

export function openHostMetrics(address: Address, options: Options): Promise<OpenMetrics<HostReadings>> {
  return open(address, options, hostMetrics);
}

async function open<Readings>(
  address: Address,
  options: Options,
  create: (options: MetricsOptions, readings: () => Readings | undefined) => Metrics,
): Promise<OpenMetrics<Readings>> {
  let readings: (() => Readings) | undefined;
  await using parts = new AsyncDisposableStack();
  const { registry } = parts.use(create(options, () => readings?.()));
  const server = parts.use(await serveMetrics(address, registry, options.log));
  options.log.info({ metrics: formatAddress(server.address) }, "the metrics can be read");
  const running = parts.move();
  return {
    address: server.address,
    show(read) {
      readings = read;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

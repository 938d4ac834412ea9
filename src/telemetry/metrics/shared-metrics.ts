import { Code, ConnectError } from "@connectrpc/connect";
import { Gauge, Histogram, Registry } from "prom-client";
import { observed } from "../../base/observed.ts";
import { addProcessMetrics, followEventLoop } from "./process-metrics.ts";
import { onEnd } from "./watch-works.ts";

/** The metrics of one process; those that are counted are counted until it is disposed. */
export interface Metrics extends Disposable {
  readonly registry: Registry;
}

export interface MetricsOptions {
  readonly version: string;
  /** Milliseconds of a clock that does not jump. */
  readonly elapsed: () => number;
}

/** What daemon and host have in common. */
export function sharedMetrics(part: "daemon" | "host", { version, elapsed }: MetricsOptions) {
  const registry = new Registry();
  const parts = new DisposableStack();
  addProcessMetrics(registry);
  parts.use(followEventLoop(registry));
  new Gauge({
    name: "tremplin_build_info",
    help: "1, with the version of the program.",
    labelNames: ["part", "version"],
    registers: [registry],
  }).set({ part, version }, 1);
  const calls = new Histogram({
    name: "tremplin_rpc_duration_seconds",
    help: "The calls that were answered with one message, by rpc and code of gRPC.",
    labelNames: ["rpc", "code"],
    buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60],
    registers: [registry],
  });
  const onCall = onEnd(observed.rpc, elapsed, (call, { seconds, error }) => {
    if (call.side !== "server" || call.streams) return;
    calls.observe({ rpc: `${call.service}/${call.method}`, code: codeOf(error) }, seconds);
  });
  parts.use(onCall);
  return { registry, parts };
}

function codeOf(error: unknown): string {
  if (error === undefined) return "OK";
  const name = Code[ConnectError.from(error).code] ?? "Unknown";
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

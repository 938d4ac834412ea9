import { Counter, Gauge, Histogram } from "prom-client";
import { type NoticeAnswer, observed } from "../../base/observed.ts";
import { engineRoute } from "./engine-route.ts";
import { type Metrics, type MetricsOptions, sharedMetrics } from "./shared-metrics.ts";
import { onEnd } from "./watch-works.ts";

/** What the daemon says of itself when it is asked. */
export interface DaemonReadings {
  /** Those that hold a container or the engine. `obstacle`: why one that has ended still does. */
  readonly operations: readonly { readonly kind: string; readonly obstacle?: string | undefined }[];
  /** Notices that the host has not answered yet. */
  readonly waiting: number;
  /** How long the oldest of them has waited. */
  readonly oldestMs: number;
  readonly hostAnswers: boolean;
  readonly engineRuns: boolean;
}

/** `readings`: undefined before the daemon has started. */
export function daemonMetrics(options: MetricsOptions, readings: () => DaemonReadings | undefined): Metrics {
  const { registry, parts } = sharedMetrics("daemon", options);
  const { elapsed } = options;
  const registers = [registry];
  const operations = new Histogram({
    name: "tremplin_operation_duration_seconds",
    help: "Operations that have ended, by kind and result: done, failed, cancelled or interrupted.",
    labelNames: ["kind", "result"],
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600],
    registers,
  });
  const requests = new Histogram({
    name: "tremplin_engine_request_duration_seconds",
    help: "Requests to the engine, by method, form of the path and class of the status; none without an answer.",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60],
    registers,
  });
  const rounds = new Histogram({
    name: "tremplin_watcher_round_duration_seconds",
    help: "Rounds of the watchers over all containers: their ports, and which of them have stopped.",
    labelNames: ["watcher"],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5],
    registers,
  });
  const answers = new Counter({
    name: "tremplin_notices_answered_total",
    help: "Notices that the host has answered, by rpc and answer: acknowledged or rejected.",
    labelNames: ["notice", "answer"],
    registers,
  });
  parts.use(
    onEnd(observed.operation, elapsed, ({ kind, outcome }, { seconds }) => {
      if (outcome) operations.observe({ kind, result: outcome }, seconds);
    }),
  );
  parts.use(
    onEnd(observed.engine, elapsed, ({ method, path, status }, { seconds }) =>
      requests.observe({ method, route: engineRoute(path), status: classOf(status) }, seconds),
    ),
  );
  parts.use(
    onEnd(observed.round, elapsed, ({ watcher }, { seconds }) => rounds.observe({ watcher }, seconds)),
  );
  const onAnswer = (seen: unknown): void => {
    const { notice, answer } = seen as NoticeAnswer;
    answers.inc({ notice, answer });
  };
  observed.noticeAnswer.subscribe(onAnswer);
  parts.defer(() => observed.noticeAnswer.unsubscribe(onAnswer));
  addReadings(registers, readings);
  return { registry, [Symbol.dispose]: () => parts.dispose() };
}

/** Those that are read when somebody asks. */
function addReadings(registers: Metrics["registry"][], readings: () => DaemonReadings | undefined): void {
  const gauge = (name: string, help: string, read: (now: DaemonReadings) => number): void => {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        const now = readings();
        this.set(now ? read(now) : 0);
      },
    });
  };
  new Gauge({
    name: "tremplin_operations_running",
    help: "Operations under way, by kind.",
    labelNames: ["kind"],
    registers,
    collect() {
      this.reset();
      for (const { kind, obstacle } of readings()?.operations ?? []) if (!obstacle) this.inc({ kind });
    },
  });
  gauge(
    "tremplin_operations_blocked",
    "Operations whose clean-up or end waits for an obstacle.",
    (now) => now.operations.filter(({ obstacle }) => obstacle).length,
  );
  gauge("tremplin_notices_waiting", "Notices that the host has not answered yet.", ({ waiting }) => waiting);
  gauge(
    "tremplin_notices_oldest_age_seconds",
    "How long the oldest of them has waited; 0 without one.",
    ({ oldestMs }) => oldestMs / 1000,
  );
  gauge("tremplin_host_answers", "1 while the host takes notices.", ({ hostAnswers }) => Number(hostAnswers));
  gauge("tremplin_engine_running", "1 while the engine runs.", ({ engineRuns }) => Number(engineRuns));
}

function classOf(status: number | undefined): string {
  return status === undefined ? "none" : `${Math.trunc(status / 100)}xx`;
}

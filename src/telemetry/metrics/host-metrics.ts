import { Counter, Gauge, Histogram } from "prom-client";
import { type NoticeTaken, observed } from "../../base/observed.ts";
import { type Metrics, type MetricsOptions, sharedMetrics } from "./shared-metrics.ts";
import { onEnd } from "./watch-works.ts";

/** What the host says of itself when it is asked. */
export interface HostReadings {
  /** The guests by name, and whether each answers. */
  readonly guests: () => Promise<readonly { readonly name: string; readonly answers: boolean }[]>;
  /** The states of the forwards, such as `open`. */
  readonly forwards: () => readonly { readonly state: string; readonly connections: number }[];
}

/** `readings`: undefined before the host has started. */
export function hostMetrics(options: MetricsOptions, readings: () => HostReadings | undefined): Metrics {
  const { registry, parts } = sharedMetrics("host", options);
  const registers = [registry];
  const notices = new Counter({
    name: "tremplin_notices_taken_total",
    help: "Notices of guests, by rpc and result: taken or refused.",
    labelNames: ["notice", "result"],
    registers,
  });
  const commits = new Histogram({
    name: "tremplin_store_commit_duration_seconds",
    help: "Commits to the database of events, until the disk has them, by result: done or failed.",
    labelNames: ["result"],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers,
  });
  const events = new Counter({
    name: "tremplin_store_events_total",
    help: "Events that were written to the database.",
    registers,
  });
  const onNotice = (seen: unknown): void => {
    const { notice, result } = seen as NoticeTaken;
    notices.inc({ notice, result });
  };
  observed.noticeTaken.subscribe(onNotice);
  parts.defer(() => observed.noticeTaken.unsubscribe(onNotice));
  parts.use(
    onEnd(observed.commit, options.elapsed, (commit, { seconds, error }) => {
      commits.observe({ result: error === undefined ? "done" : "failed" }, seconds);
      if (error === undefined) events.inc(commit.events);
    }),
  );
  addReadings(registers, readings);
  return { registry, [Symbol.dispose]: () => parts.dispose() };
}

/** Those that are read when somebody asks. */
function addReadings(registers: Metrics["registry"][], readings: () => HostReadings | undefined): void {
  new Gauge({
    name: "tremplin_guest_up",
    help: "1 for a guest that answers, 0 for one that does not.",
    labelNames: ["guest"],
    registers,
    async collect() {
      const guests = (await readings()?.guests()) ?? [];
      this.reset();
      for (const { name, answers } of guests) this.set({ guest: name }, Number(answers));
    },
  });
  new Gauge({
    name: "tremplin_forwards",
    help: "Ports of containers, by the state of their forward.",
    labelNames: ["state"],
    registers,
    collect() {
      this.reset();
      for (const { state } of readings()?.forwards() ?? []) this.inc({ state });
    },
  });
  new Gauge({
    name: "tremplin_forwarded_connections",
    help: "Connections to ports of containers.",
    registers,
    collect() {
      this.set((readings()?.forwards() ?? []).reduce((sum, { connections }) => sum + connections, 0));
    },
  });
}

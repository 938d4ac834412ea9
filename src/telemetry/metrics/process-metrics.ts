import { readdirSync } from "node:fs";
import { Gauge, Histogram, type Registry } from "prom-client";

/** Between two looks at the event loop. Whatever blocks it for longer is noticed. */
const LOOK_MS = 100;

/** Of the process: memory, processor time and files are read when somebody asks. */
export function addProcessMetrics(registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        this.set(read());
      },
    });
  };
  gauge("process_resident_memory_bytes", "Memory of the process.", () => process.memoryUsage.rss());
  gauge("process_cpu_seconds_total", "Processor time of the process.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge(
    "process_open_fds",
    "Files and connections that are open.",
    () => readdirSync("/proc/self/fd").length,
  );
  gauge("process_start_time_seconds", "When the process began, since 1970.", () =>
    Math.round(performance.timeOrigin / 1000),
  );
  gauge("nodejs_heap_used_bytes", "Objects of the program.", () => process.memoryUsage().heapUsed);
}

/** How late the process is to do what is due. Looks ten times a second, until the result is disposed. */
export function followEventLoop(registry: Registry): Disposable {
  const lag = new Histogram({
    name: "tremplin_event_loop_lag_seconds",
    help: "How late the process was to do what was due.",
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 10],
    registers: [registry],
  });
  let due = performance.now() + LOOK_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    lag.observe(Math.max(0, now - due) / 1000);
    due = now + LOOK_MS;
  }, LOOK_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

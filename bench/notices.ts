import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { FleetHost, freePort, runFleet } from "../test/support/fleet.ts";
import { ms, printTable, type Row } from "./measure.ts";

const SECONDS = 20;
/** Until all guests are connected. */
const WARM_UP_SECONDS = 5;

interface Measured {
  readonly rate: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly megabytes: number;
  /** Of the host, for each notice. Milliseconds. */
  readonly hostWork: number;
  /** Of the simulated guests, which share the machine with it. Milliseconds. */
  readonly guestWork: number;
}

/** Measures how the host takes the notices of a fleet, and prints one table. */
export async function benchNotices(): Promise<void> {
  const one = await measure(1, 100);
  const many = await measure(1_000, 2_000);
  const most = await measure(200, 20_000);
  const rows: Row[] = [
    [
      "notices a second, as many as it takes",
      `${Math.round(most.rate)}`,
      "200 guests, durable when answered",
      "-",
    ],
    [
      "processor time of the host for a notice",
      ms(most.hostWork),
      `${ms(most.guestWork)} of the guests`,
      "-",
    ],
    ["notices a second, 1,000 guests", `${Math.round(many.rate)}`, "2,000 sent", "-"],
    ["p50 of a notice, 1,000 guests", ms(many.p50), "", "-"],
    ["p99 of a notice, 1,000 guests", ms(many.p99), `${ms(one.p99)} with 1 guest`, "50 ms"],
    ["resident memory, 1,000 guests", `${many.megabytes} MB`, `${one.megabytes} MB with 1 guest`, "-"],
  ];
  printTable(rows);
}

async function measure(guests: number, wanted: number): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "bench-fleet-"));
  const place = { folder, guests, port: await freePort() };
  const host = new FleetHost(join(dirname(process.argv[1] as string), "fleet-host.js"), place);
  try {
    const [end, never] = [new AbortController(), new AbortController()];
    const sent = new Map<string, number>();
    const running = runFleet(place, wanted, { end: end.signal, abandon: never.signal }, sent);
    await delay(WARM_UP_SECONDS * 1000);
    const before = { count: countOf(sent), host: host.processorTime, own: process.cpuUsage() };
    await delay(SECONDS * 1000);
    const count = countOf(sent) - before.count;
    const hostWork = ((host.processorTime - before.host) * 1000) / count;
    const own = process.cpuUsage(before.own);
    const guestWork = (own.user + own.system) / 1000 / count;
    const megabytes = Math.round(host.residentMemory / 1e6);
    end.abort();
    const { latencies } = await running;
    return {
      rate: count / SECONDS,
      ...spread(latencies.slice(before.count)),
      megabytes,
      hostWork,
      guestWork,
    };
  } finally {
    await host.end("SIGKILL");
    await rm(folder, { recursive: true });
  }
}

function countOf(sent: ReadonlyMap<string, number>): number {
  return [...sent.values()].reduce((sum, count) => sum + count, 0);
}

function spread(latencies: readonly number[]): Pick<Measured, "p50" | "p99"> {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)];
  return { p50: at(0.5), p99: at(0.99) };
}

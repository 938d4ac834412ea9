import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../src/base/async/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { runHost } from "../../src/host/main.ts";
import { EventStore } from "../../src/host/store/event-store.ts";
import { FleetConnection, serveGuests } from "./fleet-guest.ts";

const CONTAINERS = 2;
/** A guest connects again after so many notices. */
const NOTICES_PER_CONNECTION = 50;
/** Of each guest, however slow the machine is. */
const MIN_NOTICES = 6;
const GIB = 1024 ** 3;

export interface FleetPlace {
  readonly folder: string;
  readonly guests: number;
  /** Of the host's listener, on loopback. */
  readonly port: number;
}

/** A free port of the loopback. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

const tokenOf = (guest: number): string => `fleet-token-of-guest-${guest}`.padEnd(40, "x");
const socketOf = (folder: string, guest: number) =>
  ({ kind: "unix", path: join(folder, `${guest}.sock`) }) as const;

/** Runs a host with many guests in this process, until SIGTERM. */
export async function runFleetHost({ folder, guests, port }: FleetPlace): Promise<void> {
  await runHost({
    listen: [{ kind: "unix", path: join(folder, "host.sock") }],
    listeners: [{ address: { kind: "tcp", host: "127.0.0.1", port } }],
    guests: Array.from({ length: guests }, (_, guest) => ({
      name: `g${guest}`,
      address: socketOf(folder, guest),
      token: tokenOf(guest),
    })),
    state: join(folder, "state"),
    retention: { maxBytes: 4 * GIB },
    logLevel: "silent",
  });
}

/** The process of a host, which can be killed and started again. `entry`: a file that calls runFleetHost when its arguments say so. */
export class FleetHost {
  readonly #entry: string;
  readonly #place: FleetPlace;
  #process: ChildProcess;

  constructor(entry: string, place: FleetPlace) {
    this.#entry = entry;
    this.#place = place;
    this.#process = this.#start();
  }

  /** Bytes. */
  get residentMemory(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
  }

  /** Of all its threads, since its start. Seconds. */
  get processorTime(): number {
    const fields = readFileSync(`/proc/${this.#process.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async killAndStart(): Promise<void> {
    await this.end("SIGKILL");
    this.#process = this.#start();
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill(signal);
    await ended;
  }

  #start(): ChildProcess {
    const args = ["as-host", JSON.stringify(this.#place)];
    return fork(this.#entry, args, { stdio: "ignore", execArgv: ["--enable-source-maps"] });
  }
}

/** What the guests of a fleet have sent. */
export interface FleetResult {
  /** Acknowledged notices of each container, by `guest/container`. */
  readonly sent: ReadonlyMap<string, number>;
  /** How long each took that was acknowledged at its first try. Milliseconds. */
  readonly latencies: readonly number[];
}

/**
 * Serves all guests, and lets them send `rate` notices a second together until the end, and some each. `sent` is kept up to
 * date meanwhile.
 */
export async function runFleet(
  place: FleetPlace,
  rate: number,
  signals: FleetSignals,
  sent = new Map<string, number>(),
): Promise<FleetResult> {
  const { folder, guests } = place;
  using _daemons = serveGuests(Array.from({ length: guests }, (_, guest) => socketOf(folder, guest).path));
  const latencies: number[] = [];
  const pause = (guests / rate) * 1000;
  const send = (guest: number) => sendFrom(guest, { place, pause, sent, latencies, ...signals });
  await Promise.all(Array.from({ length: guests }, (_, guest) => send(guest)));
  return { sent, latencies };
}

interface FleetSignals {
  /** No notice is begun after it. */
  readonly end: AbortSignal;
  /** Nothing is sent again after it. */
  readonly abandon: AbortSignal;
}

interface Sending extends FleetSignals {
  readonly place: FleetPlace;
  readonly pause: number;
  readonly sent: Map<string, number>;
  readonly latencies: number[];
}

/** One guest: its notices one after another, each until it is acknowledged. */
async function sendFrom(
  guest: number,
  { place, pause, end, abandon, sent, latencies }: Sending,
): Promise<void> {
  using connection = new FleetConnection(place.port, tokenOf(guest));
  await delay(pause * Math.random());
  for (let count = 0; !end.aborted || count < MIN_NOTICES; count++) {
    if (count % NOTICES_PER_CONNECTION === NOTICES_PER_CONNECTION - 1) connection[Symbol.dispose]();
    const container = `${count % CONTAINERS}`;
    const key = `g${guest}/${container}`;
    const began = performance.now();
    const send = connection.notice(container, `${sent.get(key) ?? 0}`);
    if (await sendUntilAcknowledged(send, abandon)) latencies.push(performance.now() - began);
    sent.set(key, (sent.get(key) ?? 0) + 1);
    await delay(Math.max(0, pause - (performance.now() - began)));
  }
}

/** Whether the first try sufficed. */
async function sendUntilAcknowledged(send: () => Promise<boolean>, abandon: AbortSignal): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    if (await send()) return tries === 1;
    abandon.throwIfAborted();
    await delay(50 + 100 * Math.random());
  }
}

/** Each container's notices in the order in which the host recorded them. Throws where the numbers have a gap. */
export async function recordedBy(folder: string): Promise<Map<string, string[]>> {
  await using store = await EventStore.open({
    folder: join(folder, "state"),
    clock: systemClock,
    log: silentLogger,
    maxBytes: 4 * GIB,
  });
  const recorded = new Map<string, string[]>();
  const all = { guest: undefined, after: 0n, follow: false, signal: new AbortController().signal };
  let last = 0n;
  for await (const { sequence, guest, notice } of store.read(all)) {
    if (sequence !== ++last) throw new Error(`event ${sequence} follows ${last - 1n}`);
    if (notice.case !== "stop") continue;
    const key = `${guest}/${notice.value.containerName}`;
    const texts = recorded.get(key) ?? [];
    texts.push(notice.value.failureReason);
    recorded.set(key, texts);
  }
  return recorded;
}

import type { Socket } from "node:net";
import { join } from "node:path";
import type { Clock } from "../../base/async/clock.ts";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import { Reconciler } from "../../base/async/reconciler.ts";
import { untilAborted } from "../../base/async/until-aborted.ts";
import { LogLimit } from "../../base/log-limit.ts";
import type { Logger } from "../../base/logger.ts";
import { resetSocket } from "../../base/native/reset-socket.ts";
import { errorMessage } from "../../base/tremplin-error.ts";
import type { Forward } from "../../contract/tremplin/v1/host_pb.js";
import { isLocal } from "../../transport/address.ts";
import type { Connection } from "../../transport/client.ts";
import { Shares } from "../../transport/shares.ts";
import { carry, type HandOver } from "./carry.ts";
import { PortFollower } from "./follow-ports.ts";
import { ForwardSettings, type PortKey } from "./forward-settings.ts";
import { type Entry, ForwardTable } from "./forward-table.ts";
import { HostPrograms } from "./host-programs.ts";
import type { LocalHandOvers } from "./local-hand-over.ts";
import { LoopbackPort } from "./loopback-port.ts";
import { reportedPorts } from "./reported-ports.ts";
import { TunnelPool } from "./tunnel-pool.ts";

/** Changes within this time are applied together, also those of a guest that sends them without end. */
const DEBOUNCE_MS = 15;
const RETRY_DELAYS_MS = [1_000, 5_000] as const;
/** All connections of all guests. Each needs a few descriptors. Beyond, the port that has the most loses its oldest. */
const MAX_CONNECTIONS = 8_192;
/** What a container that stops has still sent arrives within this time. */
const LAST_BYTES_MS = 5_000;

/** A guest as forwards need it. */
export interface ForwardedGuest {
  readonly name: string;
  readonly connection: Connection;
}

interface Options {
  /** The host's folder. */
  readonly folder: string;
  /** The most ports that are open for one guest. */
  readonly most: number;
  /** Ports of this machine that are for the console, also while it is not served there: browsers would believe what is. */
  readonly reserved: ReadonlySet<number>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Of one connection, among all. */
interface Place {
  readonly port: string;
  readonly connection: AbortController;
}

interface Followed {
  readonly connection: Connection;
  readonly follower: PortFollower;
  readonly tunnels: TunnelPool;
  readonly parts: AsyncDisposableStack;
  /** The connections to each container; undefined while it does not run. */
  readonly connections: Map<string, Set<AbortController>>;
}

/** Opens the ports that containers listen on, on the loopback of this machine (docs/ports.md). */
export class Forwards implements AsyncDisposable {
  readonly settings: ForwardSettings;
  readonly #options: Options;
  readonly #table: ForwardTable;
  readonly #programs: HostPrograms;
  readonly #reconciler: Reconciler;
  readonly #guests = new Map<string, Followed>();
  readonly #limit: LogLimit;
  #handOvers: Promise<LocalHandOvers | undefined> | undefined;
  readonly #shutdown = new AbortController();
  /** What ends of guests that are no longer forwarded. */
  readonly #removed = new AsyncDisposableStack();
  readonly #mutex = new KeyedMutex();
  readonly #connections = new Shares<Place>();
  #changed = new AbortController();

  private constructor(settings: ForwardSettings, options: Options) {
    const { most, clock, log } = options;
    this.settings = settings;
    this.#options = options;
    this.#limit = new LogLimit(clock);
    const open = async (hostPort: number, entry: Entry) => {
      if (this.isReserved(hostPort)) return undefined;
      return await LoopbackPort.open(
        hostPort,
        (client, isIpv6) => void this.#onConnection(entry, client, isIpv6),
      );
    };
    const programs = new HostPrograms({ clock, forwarded: () => this.#table.hostPorts });
    this.#programs = programs;
    this.#table = new ForwardTable({ settings, most, open, programs, log });
    const reconcile = () => this.#apply();
    this.#reconciler = new Reconciler({
      ...{ reconcile, debounceMs: DEBOUNCE_MS, retryDelaysMs: RETRY_DELAYS_MS, clock },
    });
  }

  static async open(options: Options): Promise<Forwards> {
    const settings = await ForwardSettings.open(join(options.folder, "forwards.json"), options.log);
    const forwards = new Forwards(settings, options);
    forwards.#programs.look();
    return forwards;
  }

  /** Forwards the ports of these guests from now on, and of no others. */
  setGuests(guests: readonly ForwardedGuest[]): void {
    for (const name of this.#table.guests) {
      const connection = this.#guests.get(name)?.connection;
      const isSame = (each: ForwardedGuest) =>
        each.name === name && (!connection || each.connection === connection);
      if (!guests.some(isSame)) this.#remove(name);
    }
    const known = new Set(this.#table.guests);
    for (const guest of guests) if (!known.has(guest.name)) this.#add(guest);
  }

  #add({ name, connection }: ForwardedGuest): void {
    this.#table.addGuest(name);
    if (this.#options.most === 0) {
      this.#table.setPorts(name, []);
      return;
    }
    const parts = new AsyncDisposableStack();
    const tunnels = parts.use(new TunnelPool((windowBytes) => connection.another(windowBytes)));
    const connections: Followed["connections"] = new Map();
    // A later guest can have the name.
    const isGone = (): boolean => this.#guests.get(name)?.parts !== parts;
    const follower = parts.use(
      new PortFollower({
        connection,
        onPorts: (response) => {
          if (isGone()) return;
          this.#table.setPorts(name, reportedPorts(name, response));
          this.#endOf(connections, new Set(response.containers.map(({ containerName }) => containerName)));
          this.#reconciler.trigger();
        },
        onAway: () => {
          if (isGone()) return;
          this.#table.setAway(name);
          this.#reconciler.trigger();
        },
        clock: this.#options.clock,
      }),
    );
    this.#guests.set(name, { connection, follower, tunnels, parts, connections });
  }

  /** Closes the ports of a guest, resets its connections and hangs up. */
  #remove(name: string): void {
    const guest = this.#guests.get(name);
    this.#guests.delete(name);
    this.#table.removeGuest(name);
    this.#reconciler.trigger();
    for (const each of guest?.connections.values() ?? []) for (const connection of each) connection.abort();
    const left = guest?.parts.disposeAsync();
    this.#removed.defer(() => left);
  }

  /** A guest is ready: it is asked for its ports at once. */
  wake(name: string): void {
    this.#guests.get(name)?.follower.wake();
  }

  /** Default: of all guests. */
  list(guest?: string): Forward[] {
    return this.#table.list(guest);
  }

  /** Resolves at the next change of the list, or when the signal aborts. */
  async change(signal: AbortSignal): Promise<void> {
    await untilAborted(AbortSignal.any([signal, this.#changed.signal]));
  }

  isReserved(hostPort: number): boolean {
    return this.#options.reserved.has(hostPort);
  }

  holderOf(hostPort: number): PortKey | undefined {
    return this.#table.holderOf(hostPort);
  }

  /** Applies the settings as they are now. */
  async applySettings(): Promise<void> {
    await this.#apply();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shutdown.abort();
    await this.#reconciler[Symbol.asyncDispose]();
    await this.#programs[Symbol.asyncDispose]();
    this.setGuests([]);
    await this.#removed.disposeAsync();
    this.#table[Symbol.dispose]();
    await (await this.#handOvers)?.[Symbol.asyncDispose]();
  }

  /** One after the other. */
  async #apply(): Promise<boolean> {
    const isDone = await this.#mutex.run("", () => this.#table.apply());
    this.#changed.abort();
    this.#changed = new AbortController();
    return isDone;
  }

  async #onConnection(entry: Entry, client: Socket, isIpv6: boolean): Promise<void> {
    const guest = this.#guests.get(entry.guest);
    if (!guest) return void resetSocket(client);
    const { container, port } = entry;
    const connection = new AbortController();
    using _place = this.#takePlace(`${entry.guest} ${container}:${port}`, connection);
    const all = guest.connections.get(container) ?? new Set();
    guest.connections.set(container, all.add(connection));
    entry.connections++;
    try {
      using handOver = isLocal(guest.connection.address) ? await this.#openHandOver() : undefined;
      const carried = { client, container, port, prefersIpv6: isIpv6, handOver };
      await carry(guest.tunnels, carried, connection.signal);
    } catch (error) {
      resetSocket(client);
      this.#logFailure(entry, error);
    } finally {
      all.delete(connection);
      entry.connections--;
    }
  }

  #takePlace(port: string, connection: AbortController): Disposable {
    const place: Place = { port, connection };
    this.#connections.add(port, place);
    if (this.#connections.size > MAX_CONNECTIONS) {
      const other = this.#connections.toGiveWay(port, place);
      this.#connections.delete(other.port, other);
      other.connection.abort();
    }
    return { [Symbol.dispose]: () => this.#connections.delete(port, place) };
  }

  async #openHandOver(): Promise<HandOver | undefined> {
    this.#handOvers ??= import("./local-hand-over.ts").then(
      ({ LocalHandOvers }) => new LocalHandOvers(),
      // Without calls of the C library all bytes go through the daemon.
      () => undefined,
    );
    return await (await this.#handOvers)?.open();
  }

  /** A container that has stopped sends nothing more: whoever still waits for its end does so for nothing. */
  #endOf(connections: Followed["connections"], running: ReadonlySet<string>): void {
    for (const [container, all] of connections) {
      if (running.has(container)) continue;
      connections.delete(container);
      const end = (): void => all.forEach((connection) => void connection.abort());
      void this.#options.clock.sleep(LAST_BYTES_MS, this.#shutdown.signal).then(end, end);
    }
  }

  #logFailure({ guest, container, port }: PortKey, error: unknown): void {
    const { log } = this.#options;
    const reason = errorMessage(error);
    const admitted = this.#limit.admit(`${guest} ${container} ${port}`);
    if (admitted) log.debug({ guest, container, port, reason, ...admitted }, "a forwarded connection failed");
  }
}

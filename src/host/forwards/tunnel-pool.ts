import { type Client, createClient } from "@connectrpc/connect";
import { Guest as GuestService } from "../../contract/tremplin/v1/guest_pb.js";
import type { Connection } from "../../transport/client.ts";
import { Shares } from "../../transport/shares.ts";

const KIB = 1024;

/** Daemons serve 256 calls at once on each connection. */
const CALLS = 100;
/** What each call of such a connection may hold that its client has not taken. Bytes. */
const WINDOW_BYTES = 128 * KIB;
/**
 * The first calls have connections with few others. What arrives in a round trip may be more there, because there are
 * not many that could keep so much.
 */
const FAST_LINES = 8;
const FAST_CALLS = 4;
const FAST_WINDOW_BYTES = 1024 * KIB;
/** All calls. A daemon serves 2,048 of one caller (call-budget.ts), and the others of this host are to have room too. */
const MAX_CALLS = 1_000;

/** A call, and how to end it when its place is needed for another one. */
interface Held {
  readonly port: string;
  readonly giveWay: () => void;
}

interface Line {
  readonly connection: Connection;
  readonly isFast: boolean;
  readonly client: Client<typeof GuestService>;
  calls: number;
}

/** Connections to a guest for the data of its ports, so that other calls do not wait for them. */
export class TunnelPool implements Disposable {
  readonly #dial: (windowBytes: number) => Connection;
  readonly #most: number;
  readonly #lines = new Set<Line>();
  readonly #calls = new Shares<Held>();

  constructor(dial: (windowBytes: number) => Connection, most = MAX_CALLS) {
    this.#dial = dial;
    this.#most = most;
  }

  /**
   * A client for one call; to be disposed when the call has ended. Where there are too many, the port that has the most
   * loses its oldest, so that nobody keeps others out.
   */
  take(port: string, giveWay: () => void): Disposable & { readonly client: Client<typeof GuestService> } {
    const call: Held = { port, giveWay };
    this.#calls.add(port, call);
    if (this.#calls.size > this.#most) {
      const other = this.#calls.toGiveWay(port, call);
      this.#calls.delete(other.port, other);
      other.giveWay();
    }
    const line = this.#lineWithRoom() ?? this.#newLine();
    line.calls++;
    const once = new DisposableStack();
    once.defer(() => this.#release(line));
    once.defer(() => this.#calls.delete(port, call));
    return { client: line.client, [Symbol.dispose]: () => once.dispose() };
  }

  [Symbol.dispose](): void {
    for (const { connection } of this.#lines) connection[Symbol.dispose]();
    this.#lines.clear();
  }

  /** A fast one before others. */
  #lineWithRoom(): Line | undefined {
    const lines = [...this.#lines];
    const fast = lines.filter(({ isFast }) => isFast);
    const free = fast.find(({ calls }) => calls < FAST_CALLS);
    if (free || fast.length < FAST_LINES) return free;
    return lines.find(({ isFast, calls }) => !isFast && calls < CALLS);
  }

  #newLine(): Line {
    const isFast = [...this.#lines].filter((each) => each.isFast).length < FAST_LINES;
    const connection = this.#dial(isFast ? FAST_WINDOW_BYTES : WINDOW_BYTES);
    const client = createClient(GuestService, connection.transport);
    const line = { connection, isFast, client, calls: 0 };
    this.#lines.add(line);
    return line;
  }

  /** One is kept for the next call. */
  #release(line: Line): void {
    line.calls--;
    if (line.calls > 0 || this.#lines.size === 1 || !this.#lines.delete(line)) return;
    line.connection[Symbol.dispose]();
  }
}

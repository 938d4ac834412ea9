import type { CallOptions, Client } from "@connectrpc/connect";
import type { Guest } from "../contract/tremplin/v1/guest_pb.js";
import type { Event, Host } from "../contract/tremplin/v1/host_pb.js";
import type { Tremplin } from "../contract/tremplin_pb.js";

/** Who serves an address, and how to be admitted there. */
export interface ConnectOptions {
  /** `unix:/path`, `tcp:HOST:PORT` or `vsock:CID:PORT`. */
  readonly address?: string;
  /** For TCP: the certificate of this client, its key, and the certificate of the authority, as PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  /** For TCP on the loopback interface without TLS. */
  readonly token?: string;
}

/** The services of one guest. */
export interface GuestClients {
  /** Status, list of containers, snapshots, settings and more. */
  readonly guest: Client<typeof Guest>;
  /** ChromiumOS's contract: create, start, stop, delete, export, import and more. */
  readonly tremplin: Client<typeof Tremplin>;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Gets each event of the operation, also the last. */
  readonly onEvent?: (event: Event) => void;
}

/** A connection to a daemon. */
export interface GuestConnection extends GuestClients, AsyncDisposable {
  close(): void;
}

/** A connection to a host. */
export interface HostConnection extends AsyncDisposable {
  /** Guests, containers of all of them, events, history and forwards. */
  readonly host: Client<typeof Host>;
  /** The services of a guest, by its name. Without one: of the only guest. */
  guest(name?: string): GuestClients;
  /**
   * The events as they happen, without end. Connects again when the host is away, and goes on after the last event: none
   * is missed, and none comes twice. Rejects where the host cannot be reached at the beginning.
   */
  watch(options?: WatchOptions): AsyncGenerator<Event, void, void>;
  /**
   * Makes a call that begins an operation, and waits for the end of that operation. The call must pass on the options that
   * it gets.
   */
  run<Answer>(call: (options: CallOptions) => Promise<Answer>, options?: RunOptions): Promise<Ended<Answer>>;
  close(): void;
}

export interface WatchOptions {
  /** Events after this sequence number. Default: from now on. Keep that of the last event that you handled. */
  readonly after?: bigint;
  /** Only events of this guest. */
  readonly guest?: string;
  /** Only events of this container. */
  readonly containerName?: string;
  /** Ends the events; the iteration throws its reason. */
  readonly signal?: AbortSignal;
  /**
   * Gets the numbers of events that the host has dropped before they could be read. Without it the iteration throws
   * DATA_LOSS.
   */
  readonly onMissed?: (from: bigint, to: bigint) => void;
  /** Gets the reason when the host is away, and undefined when it is back. */
  readonly onOutage?: (reason: string | undefined) => void;
}

/** What became of a call that begins an operation. */
export interface Ended<Answer> {
  /** The answer to the call. Where nothing began, it says why. */
  readonly answer: Answer;
  /** The id of the operation, which is in all logs; undefined where nothing began. */
  readonly operation: string | undefined;
  /** Whether the operation succeeded; undefined where nothing began. */
  readonly succeeded: boolean | undefined;
  /** How it ended, in words, with the reason of a failure. Empty where nothing began. */
  readonly text: string;
}

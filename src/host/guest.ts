import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  type Container,
  type Engine_State,
  Guest as GuestService,
} from "../contract/tremplin/v1/guest_pb.js";
import { type Address, formatAddress } from "../transport/address.ts";
import { type Connection, dial } from "../transport/client.ts";
import type { Tls } from "../transport/tls.ts";
import type { GuestAddress } from "./options.ts";

/** A guest that does not answer within this time counts as unreachable. */
const STATUS_TIMEOUT_MS = 3_000;
/** An engine with many containers takes some seconds. */
const LIST_TIMEOUT_MS = 30_000;

/** Whether a guest answers, and the id of its daemon (undefined for a guest with the original contract alone). */
export type Presence =
  | {
      readonly reachable: true;
      readonly daemonId: string | undefined;
      readonly engine: Engine_State | undefined;
    }
  | { readonly reachable: false; readonly reason: string };

export interface GuestSpec extends GuestAddress {
  /** The only address where it sends its notices. */
  readonly listener?: Address | undefined;
  /** Whether it comes from the command line of the host. Default: yes. */
  readonly isFixed?: boolean;
}

/** One guest and the connection to it. */
export class Guest implements Disposable {
  readonly name: string;
  readonly address: string;
  /** Its context id, if it is reached by that. */
  readonly cid: number | undefined;
  readonly connection: Connection;
  /** What it shares with the host, for tcp without TLS. */
  readonly token: string | undefined;
  /** The only address where it sends its notices; undefined: one that is not for it alone. */
  readonly listener: Address | undefined;
  /** Whether it comes from the command line of the host. */
  readonly isFixed: boolean;
  /** Why its own address for notices is not open. */
  listenerProblem = "";
  readonly #client: Client<typeof GuestService>;
  /** The id that its daemon gave last; "" for a daemon with the original contract alone, undefined before an answer. */
  #daemonId: string | undefined;
  #asking: Promise<Presence> | undefined;

  /** Throws `invalid` for another machine without TLS. */
  constructor({ name, address, token, listener, isFixed = true }: GuestSpec, tls: Tls | undefined) {
    this.name = name;
    this.token = token;
    this.listener = listener;
    this.isFixed = isFixed;
    this.address = formatAddress(address);
    this.cid = address.kind === "vsock" && typeof address.cid === "number" ? address.cid : undefined;
    this.connection = dial(address, { tls, token, peer: { kind: "guest", name } });
    this.#client = createClient(GuestService, this.connection.transport);
  }

  async presence(): Promise<Presence> {
    const presence = await this.#askStatus();
    if (presence.reachable) this.#daemonId = presence.daemonId ?? "";
    return presence;
  }

  /**
   * Checks that a notice of this guest is from its daemon. The transport does not distinguish the daemon from other
   * programs of the guest: its containers have the same context id. `id`: that in the notice, "" without one, as the
   * original sends none. Throws the answer to the notice.
   */
  async confirmDaemon(id: string): Promise<void> {
    if (id === this.#daemonId) return;
    this.#asking ??= this.presence().finally(() => {
      this.#asking = undefined;
    });
    const presence = await this.#asking;
    // A daemon with the original contract alone, as far as anybody knows.
    if (id === "" && this.#daemonId === undefined) return;
    if (!presence.reachable) {
      const sentence = `cannot confirm that guest ${this.name} sent this while it is unreachable: ${presence.reason}`;
      throw new ConnectError(sentence, Code.Unavailable);
    }
    if (id === (presence.daemonId ?? "")) return;
    const sentence = `the metadata tremplin-daemon is ${id ? "not" : "missing; it must be"} the id of the daemon of guest ${this.name}`;
    throw new ConnectError(sentence, Code.FailedPrecondition);
  }

  /** All of its containers as they are now. */
  async listContainers(signal: AbortSignal): Promise<Container[]> {
    return (await this.#client.listContainers({}, { timeoutMs: LIST_TIMEOUT_MS, signal })).containers;
  }

  async #askStatus(): Promise<Presence> {
    try {
      const { daemonId, engine } = await this.#client.getStatus({}, { timeoutMs: STATUS_TIMEOUT_MS });
      return { reachable: true, daemonId, engine: engine?.state };
    } catch (thrown) {
      const error = this.explain(thrown);
      if (error.code === Code.Unimplemented)
        return { reachable: true, daemonId: undefined, engine: undefined };
      return { reachable: false, reason: error.rawMessage };
    }
  }

  /** The error for the caller of this guest: the guest's own error, or why the guest is unreachable. */
  explain(thrown: unknown): ConnectError {
    const error = ConnectError.from(thrown);
    const unanswered = this.connection.whyUnanswered(error);
    if (!unanswered) return error;
    const sentence = `cannot reach guest ${this.name} at ${this.address}: ${unanswered.reason}; tremplin doctor has advice`;
    const code = unanswered.kind === "late" ? Code.DeadlineExceeded : Code.Unavailable;
    return new ConnectError(sentence, code, undefined, undefined, error);
  }

  [Symbol.dispose](): void {
    this.connection[Symbol.dispose]();
  }
}

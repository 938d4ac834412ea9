import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { Guest as GuestService } from "../contract/tremplin/v1/guest_pb.js";
import { formatAddress } from "../transport/address.ts";
import { type Connection, dial } from "../transport/client.ts";
import type { Tls } from "../transport/tls.ts";
import type { GuestAddress } from "./options.ts";

/** A guest that does not answer within this time counts as unreachable. */
const STATUS_TIMEOUT_MS = 3_000;

/** Whether a guest answers, and the id of its daemon (undefined for a guest with the original contract alone). */
export type Presence =
  | { readonly reachable: true; readonly daemonId: string | undefined }
  | { readonly reachable: false; readonly reason: string };

/** One configured guest and the connection to it. */
export class Guest implements Disposable {
  readonly name: string;
  readonly address: string;
  readonly connection: Connection;
  readonly #client: Client<typeof GuestService>;

  constructor({ name, address }: GuestAddress, tls: Tls | undefined) {
    this.name = name;
    this.address = formatAddress(address);
    this.connection = dial(address, { tls });
    this.#client = createClient(GuestService, this.connection.transport);
  }

  async presence(): Promise<Presence> {
    try {
      const { daemonId } = await this.#client.getStatus({}, { timeoutMs: STATUS_TIMEOUT_MS });
      return { reachable: true, daemonId };
    } catch (thrown) {
      const error = this.explain(thrown);
      if (error.code === Code.Unimplemented) return { reachable: true, daemonId: undefined };
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

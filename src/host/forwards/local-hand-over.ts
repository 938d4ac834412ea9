import type { Socket } from "node:net";
import { HandOverReceiver } from "../../base/native/hand-over.ts";
import { closeRaw } from "../../base/native/raw-socket.ts";
import { duplicate, type RelayedPair, SocketRelay } from "../../base/native/socket-relay.ts";
import type { HandOver } from "./carry.ts";

/** Takes sockets that daemons of the same machine hand over, and relays between them and clients. */
export class LocalHandOvers implements AsyncDisposable {
  #relay: Promise<SocketRelay> | undefined;
  readonly #relays = new AsyncDisposableStack();

  /** Undefined where that is not possible now. */
  async open(): Promise<HandOver | undefined> {
    const relay = await this.#openRelay();
    const receiver = HandOverReceiver.open();
    return (
      receiver && {
        place: receiver.place,
        join: (client) => join(receiver, client, relay),
        [Symbol.dispose]: () => receiver[Symbol.dispose](),
      }
    );
  }

  /** Resets all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relays.disposeAsync();
  }

  /** Another one if its thread has failed. */
  async #openRelay(): Promise<SocketRelay> {
    this.#relay ??= SocketRelay.open().then((relay) => this.#relays.use(relay));
    const relay = await this.#relay;
    if (!relay.hasFailed) return relay;
    this.#relay = undefined;
    return await this.#openRelay();
  }
}

function join(receiver: HandOverReceiver, client: Socket, relay: SocketRelay): RelayedPair | undefined {
  const other = receiver.take();
  if (other === undefined) return undefined;
  const { _handle: handle } = client as unknown as { _handle: { readonly fd: number } | null };
  const own = handle === null ? -1 : duplicate(handle.fd);
  if (own < 0) {
    closeRaw(other);
    return undefined;
  }
  // The relay has a descriptor of its own: closing this one ends nothing.
  client.destroy();
  return relay.add(own, other);
}

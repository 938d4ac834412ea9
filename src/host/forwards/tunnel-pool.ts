import { type Client, createClient } from "@connectrpc/connect";
import { Guest as GuestService } from "../../contract/tremplin/v1/guest_pb.js";
import type { Connection } from "../../transport/client.ts";

/** Daemons serve 256 calls at once on each connection. */
const CALLS = 100;

interface Line {
  readonly connection: Connection;
  readonly client: Client<typeof GuestService>;
  calls: number;
}

/** Connections to a guest for the data of its ports, so that other calls do not wait for them. */
export class TunnelPool implements Disposable {
  readonly #dial: () => Connection;
  readonly #lines = new Set<Line>();

  constructor(dial: () => Connection) {
    this.#dial = dial;
  }

  /** A client for one call; to be disposed when the call has ended. */
  take(): Disposable & { readonly client: Client<typeof GuestService> } {
    const line = [...this.#lines].find(({ calls }) => calls < CALLS) ?? this.#newLine();
    line.calls++;
    const once = new DisposableStack();
    once.defer(() => this.#release(line));
    return { client: line.client, [Symbol.dispose]: () => once.dispose() };
  }

  [Symbol.dispose](): void {
    for (const { connection } of this.#lines) connection[Symbol.dispose]();
    this.#lines.clear();
  }

  #newLine(): Line {
    const connection = this.#dial();
    const line = { connection, client: createClient(GuestService, connection.transport), calls: 0 };
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

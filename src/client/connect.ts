import { createClient } from "@connectrpc/connect";
import { Guest } from "../contract/tremplin/v1/guest_pb.js";
import { Host } from "../contract/tremplin/v1/host_pb.js";
import { Tremplin } from "../contract/tremplin_pb.js";
import { parseAddress } from "../transport/address.ts";
import { type Connection, dial } from "../transport/client.ts";
import { runToEnd } from "./run-to-end.ts";
import type { ConnectOptions, GuestClients, GuestConnection, HostConnection, WatchOptions } from "./types.ts";
import { watchEvents } from "./watch-events.ts";

/** Connects to a host, at `unix:/run/tremplin/host.sock` by default. Nothing is sent before the first call. */
export function connectHost(options: ConnectOptions = {}): HostConnection {
  const { address = "unix:/run/tremplin/host.sock", tls, token } = options;
  const connection = dial(parseAddress(address), { tls, token, peer: { kind: "host" } });
  const host = createClient(Host, connection.transport);
  const watch = (watched?: WatchOptions) => watchEvents(connection, host, watched);
  return {
    host,
    guest: (name) => clientsOf(connection, name),
    watch: async function* (watched) {
      yield* (await watch(watched)).events;
    },
    run: (call, running) => runToEnd(watch, call, running),
    ...closing(connection),
  };
}

/** Connects to the daemon of a guest, at `unix:/run/tremplin/guest.sock` by default. Nothing is sent before the first call. */
export function connectGuest(options: ConnectOptions = {}): GuestConnection {
  const { address = "unix:/run/tremplin/guest.sock", tls, token } = options;
  const connection = dial(parseAddress(address), { tls, token });
  return { ...clientsOf(connection), ...closing(connection) };
}

function clientsOf({ transport }: Connection, name?: string): GuestClients {
  const named: typeof transport =
    name === undefined
      ? transport
      : {
          unary: (method, signal, timeout, header, ...rest) =>
            transport.unary(method, signal, timeout, forGuest(header, name), ...rest),
          stream: (method, signal, timeout, header, ...rest) =>
            transport.stream(method, signal, timeout, forGuest(header, name), ...rest),
        };
  return { guest: createClient(Guest, named), tremplin: createClient(Tremplin, named) };
}

function forGuest(header: ConstructorParameters<typeof Headers>[0], name: string): Headers {
  const headers = new Headers(header);
  headers.set("tremplin-guest", name);
  return headers;
}

function closing(connection: Connection) {
  return {
    close: () => connection[Symbol.dispose](),
    [Symbol.asyncDispose]: async () => connection[Symbol.dispose](),
  };
}

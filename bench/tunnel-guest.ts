import { once } from "node:events";
import { openSync } from "node:fs";
import { connect } from "node:net";
import { Guest } from "../src/contract/tremplin/v1/guest_pb.js";
import { CurrentPorts } from "../src/daemon/connections/current-ports.ts";
import { connectPort } from "../src/daemon/rpc/connect-port.ts";
import { watchPorts } from "../src/daemon/rpc/watch-ports.ts";
import { serve } from "../src/transport/server.ts";
import { readTls } from "../src/transport/tls.ts";

/** What the daemon of another machine has: its certificate, and the place where the program of its container listens. */
export interface TunnelGuest {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly program: { readonly host: string; readonly port: number };
}

/** The one port that its container listens on. */
export const TUNNEL_PORT = 24_681;

/**
 * A process of its own that serves the ports of a container with TLS, in the way in which the daemon of another machine
 * does: it hands no socket over. Prints where it listens.
 */
export async function runTunnelGuest({ program, ...files }: TunnelGuest): Promise<void> {
  const ports = new CurrentPorts();
  const network = { openNetwork: () => openSync("/dev/null", "r") };
  ports.set(new Map([["remote", network]]), new Map([["remote", [TUNNEL_PORT]]]));
  const connectThere = async ({ readAheadBytes }: { readAheadBytes: number }) => {
    const options = { allowHalfOpen: true, noDelay: true, readableHighWaterMark: readAheadBytes };
    const socket = connect({ ...program, ...options });
    await once(socket, "connect");
    return socket;
  };
  const server = await serve({
    addresses: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    tls: readTls(files),
    routes: (router) =>
      void router.service(Guest, {
        getStatus: () => ({ daemonId: "tunnel" }),
        listContainers: () => ({}),
        watchPorts: watchPorts({ ports }),
        connectPort: connectPort({ ports }, { connect: connectThere, wasTaken: async () => false }),
      }),
  });
  const [address] = server.addresses;
  if (address?.kind === "tcp") console.log(address.port);
}

if (process.argv[2] === "as-guest") {
  process.once("SIGINT", () => process.exit());
  await runTunnelGuest(JSON.parse(process.argv[3] as string));
}

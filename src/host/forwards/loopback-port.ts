import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

const BACKLOG = 511;
/** Codes of a machine without IPv6, or without its loopback address. */
const WITHOUT_IPV6 = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"]);

type OnConnection = (client: Socket, isIpv6: boolean) => void;

/** A port of this machine that is open on 127.0.0.1 and, where there is IPv6, on ::1. */
export class LoopbackPort implements Disposable {
  readonly port: number;
  readonly #servers: readonly Server[];

  private constructor(port: number, servers: readonly Server[]) {
    this.port = port;
    this.#servers = servers;
  }

  /**
   * Opens a port on both addresses, or on none. Undefined: something else of this machine uses it. Throws `failed` where
   * no port could be opened. The connections have read nothing yet.
   */
  static async open(port: number, onConnection: OnConnection): Promise<LoopbackPort | undefined> {
    const servers: Server[] = [];
    try {
      servers.push(await listen("127.0.0.1", port, (client) => onConnection(client, false)));
      const ipv6 = await listen("::1", port, (client) => onConnection(client, true)).catch(ifWithoutIpv6);
      if (ipv6) servers.push(ipv6);
      return new LoopbackPort(port, servers);
    } catch (error) {
      for (const server of servers) server.close();
      if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return undefined;
      const why = systemErrorText(error);
      throw new TremplinError("failed", `cannot open port ${port} of this machine: ${why}`, error);
    }
  }

  /** New connections are refused; those that are open go on. */
  [Symbol.dispose](): void {
    for (const server of this.#servers) server.close();
  }
}

async function listen(host: string, port: number, onConnection: (client: Socket) => void): Promise<Server> {
  // Each direction ends by itself, and nothing is read before the container is connected.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
    client.on("error", () => undefined);
    onConnection(client);
  });
  server.listen({ host, port, backlog: BACKLOG, ipv6Only: true });
  await once(server, "listening");
  // Only the connection that could not be accepted is lost.
  server.on("error", () => undefined);
  return server;
}

function ifWithoutIpv6(error: NodeJS.ErrnoException): undefined {
  if (!WITHOUT_IPV6.has(error.code ?? "")) throw error;
}

import { once } from "node:events";
import { openSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { CurrentPorts } from "../../src/daemon/connections/current-ports.ts";
import { wasTaken } from "../../src/daemon/rpc/connect-port.ts";

/** The listening ports of containers that exist in memory only. Their programs are real, on ports of this machine. */
export class MemoryPorts {
  readonly current = new CurrentPorts();
  /** By container, then by port: the port of this machine. */
  readonly #programs = new Map<string, Map<number, number>>();

  /** A container runs, and listens on nothing yet. */
  start(container: string): void {
    this.#programs.set(container, new Map());
    this.#report();
  }

  /** `program`: where the program really listens; by default nowhere. */
  listen(container: string, port: number, program = 0): void {
    const ports = this.#programs.get(container) ?? new Map<number, number>();
    this.#programs.set(container, ports.set(port, program));
    this.#report();
  }

  close(container: string, port: number): void {
    this.#programs.get(container)?.delete(port);
    this.#report();
  }

  stop(container: string): void {
    this.#programs.delete(container);
    this.#report();
  }

  /** As if the host were on another machine. */
  isElsewhere = false;

  readonly wasTaken = async (...request: Parameters<typeof wasTaken>): Promise<boolean> =>
    !this.isElsewhere && (await wasTaken(...request));

  /** In place of the daemon's own: there is no network namespace. */
  readonly connect = async ({ container, port }: { container: string; port: number }): Promise<Socket> => {
    const program = this.#programs.get(container)?.get(port) ?? 0;
    const socket = connect({ host: "127.0.0.1", port: program, allowHalfOpen: true });
    await once(socket, "connect");
    return socket;
  };

  #report(): void {
    const network = { openNetwork: () => openSync("/dev/null", "r") };
    const names = [...this.#programs.keys()];
    const lists = new Map([...this.#programs].map(([name, ports]) => [name, [...ports.keys()].sort()]));
    this.current.set(new Map(names.map((name) => [name, network])), lists);
  }
}

/** A program of this machine that listens on any port, or on the given one. */
export async function program(
  onConnection: (socket: Socket) => void,
  port = 0,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
    onConnection(socket);
  });
  const sockets = new Set<Socket>();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { MemoryExec } from "./exec.ts";
import type { Fault, Faults } from "./faults.ts";
import type { Holdings } from "./holdings.ts";
import { etagOf, matchRoute, Refusal, type Reply, type RestRequest, type Route } from "./rest.ts";
import { SftpServer } from "./sftp.ts";

interface Parts {
  readonly routes: readonly Route[];
  readonly faults: Faults;
  readonly holdings: Holdings;
  readonly exec: MemoryExec;
}

/** Speaks HTTP for an engine: finds the route of each request, wraps its answer, and turns some into streams. */
export class RestServer {
  readonly #parts: Parts;
  readonly #connections = new Set<Duplex>();
  #server: Server | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async listen(path: string): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.on("connection", (connection) => {
      this.#connections.add(connection);
      connection.once("close", () => this.#connections.delete(connection));
    });
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server = server;
    server.listen(path);
    await once(server, "listening");
  }

  /** Breaks off all connections. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.close();
    for (const connection of this.#connections) connection.destroy();
    await once(server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? "/", "http://engine");
      const method = request.method ?? "GET";
      const { route, params } = this.#route(method, url.pathname);
      const body = await buffer(request);
      const asked = { params, query: url.searchParams, headers: request.headers, body };
      await this.#answer(route, asked, this.#parts.faults.take(method, url.pathname), response);
    } catch (error) {
      // The client has closed the connection: nobody reads an answer.
      if (request.destroyed && !request.complete) return;
      const { status = 500, message } = error as Refusal;
      send(response, status, { type: "error", error_code: status, error: message });
    }
  }

  #route(method: string, pathname: string): { route: Route; params: Record<string, string> } {
    for (const route of this.#parts.routes) {
      const params = route.method === method ? matchRoute(route, pathname) : undefined;
      if (params) return { route, params };
    }
    throw new Refusal(404, "not found");
  }

  async #answer(
    route: Route,
    request: RestRequest,
    fault: Fault | undefined,
    response: ServerResponse,
  ): Promise<void> {
    if (route.kind === "work" && !fault?.isRefused) {
      const operation = this.#parts.holdings.operations.start(route.handle(request), fault);
      send(response, 202, { type: "async", status_code: 100, metadata: operation.view() });
      return;
    }
    fault?.reach();
    const words = await fault?.outcome;
    if (words !== undefined) throw new Refusal(fault?.status ?? 500, words);
    if (route.kind === "reply") sendReply(response, await route.handle(request));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://engine");
    const { holdings, exec } = this.#parts;
    if (pathname === "/1.0/events") {
      holdings.events.accept(request, socket, head);
      return;
    }
    const [instance] = /(?<=^\/1\.0\/instances\/)[^/]+(?=\/sftp$)/.exec(pathname) ?? [];
    if (instance === undefined) {
      if (!exec.accept(searchParams.get("secret") ?? "", request, socket, head)) socket.destroy();
      return;
    }
    const found = holdings.instances.get(instance);
    if (!found) {
      const text = JSON.stringify({ type: "error", error_code: 404, error: "Instance not found" });
      socket.end(
        `HTTP/1.1 404 Not Found\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
      );
      return;
    }
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: sftp\r\n\r\n");
    SftpServer.serve(found.files, socket, head);
  }
}

function sendReply(response: ServerResponse, { metadata = null, version, raw }: Reply): void {
  if (raw) response.end(raw);
  else {
    if (version !== undefined) response.setHeader("etag", `"${etagOf(version)}"`);
    send(response, 200, { type: "sync", status: "Success", status_code: 200, metadata });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

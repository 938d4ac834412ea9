import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Registry } from "prom-client";
import type { Logger } from "../../base/logger.ts";
import type { Address } from "../../transport/address.ts";
import { refuseBrowser } from "../../transport/browser-guard.ts";
import { closing, listen } from "../../transport/server.ts";
import { checkMetricsAddress } from "./metrics-address.ts";

/** Those who read metrics are few; a program that opens more only keeps them from each other. */
const MAX_CONNECTIONS = 32;
const REQUEST_TIMEOUT_MS = 10_000;
/** Requests within this time share one answer, so that asking often costs little. */
const FRESH_MS = 1_000;

export interface MetricsServer extends AsyncDisposable {
  /** Port 0 is replaced. */
  readonly address: Address;
}

/** Serves metrics in Prometheus' text format at /metrics. */
export async function serveMetrics(
  address: Address,
  registry: Registry,
  log: Logger,
): Promise<MetricsServer> {
  checkMetricsAddress(address);
  const read = shared(() => registry.metrics());
  // A socket file has no name that a browser could reach it by.
  const isOwnName = address.kind === "tcp" ? () => false : undefined;
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: 8192 },
    (request, response) => {
      const refusal = refuseBrowser(request.rawHeaders, isOwnName) ?? refuseOther(request);
      // Nobody needs to send anything.
      request.resume();
      response.setHeader("content-type", refusal ? "text/plain; charset=utf-8" : registry.contentType);
      response.setHeader("x-content-type-options", "nosniff");
      response.setHeader("cache-control", "no-store");
      if (refusal) return void end(request, response, refusal.httpStatus ?? 403, `${refusal.sentence}\n`);
      read().then(
        (text) => end(request, response, 200, text),
        (error) => {
          log.warn({ error }, "the metrics could not be read");
          end(request, response, 500, "the metrics could not be read; the log says why\n");
        },
      );
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on("connection", (socket: Socket) => void socket.on("error", () => socket.destroy()));
  const close = closing(server);
  const real = await listen(server, address as Exclude<Address, { kind: "vsock" }>);
  server.on("error", (error) => log.warn({ error }, "a connection for metrics could not be accepted"));
  return { address: real, [Symbol.asyncDispose]: close };
}

function refuseOther({ method, url = "" }: IncomingMessage) {
  if (url.split("?", 1)[0] !== "/metrics")
    return { httpStatus: 404, sentence: "there is nothing here but /metrics" };
  if (method === "GET" || method === "HEAD") return undefined;
  return { httpStatus: 405, sentence: "metrics can only be read: use GET" };
}

function end({ method }: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  if (status === 405) response.setHeader("allow", "GET, HEAD");
  response.end(method === "HEAD" ? undefined : text);
}

function shared(read: () => Promise<string>): () => Promise<string> {
  let last: { readonly at: number; readonly text: Promise<string> } | undefined;
  return () => {
    const now = performance.now();
    if (last && now - last.at <= FRESH_MS) return last.text;
    const reading = { at: now, text: read() };
    last = reading;
    reading.text.catch(() => {
      if (last === reading) last = undefined;
    });
    return reading.text;
  };
}

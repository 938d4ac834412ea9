import { randomUUID } from "node:crypto";
import * as http2 from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { Engine_State, GetStatusResponseSchema } from "../../src/contract/tremplin/v1/guest_pb.js";
import {
  ContainerStopProgressSchema,
  ContainerStopProgress_Status as Status,
} from "../../src/contract/tremplin_pb.js";

/*
 * Guests that speak gRPC themselves: a thousand of them share the machine with the host that they test, and a library
 * for clients would take more of it than the host.
 */

const DAEMON_ID = "fleet";
const GRPC = "application/grpc+proto";
/** A host that says nothing for so long has been killed. */
const PATIENCE_MS = 10_000;

/** One message of gRPC. */
function enveloped(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

const status = { daemonId: DAEMON_ID, engine: { state: Engine_State.RUNNING } };
const answers: Readonly<Record<string, Buffer>> = {
  "/tremplin.v1.Guest/GetStatus": enveloped(
    toBinary(GetStatusResponseSchema, create(GetStatusResponseSchema, status)),
  ),
  "/tremplin.v1.Guest/ListContainers": enveloped(Buffer.alloc(0)),
};
const WATCH_PORTS = "/tremplin.v1.Guest/WatchPorts";

/** Serves at all of these paths what a host asks of a guest without containers. */
export function serveGuests(paths: readonly string[]): Disposable {
  const sockets = new Set<Socket>();
  const http = http2.createServer().on("stream", (stream, headers) => answer(stream, `${headers[":path"]}`));
  http.on("sessionError", () => undefined);
  const servers = paths.map((path): Server => {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
      http.emit("connection", socket);
    });
    return server.listen(path);
  });
  return {
    [Symbol.dispose]() {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function answer(stream: http2.ServerHttp2Stream, path: string): void {
  stream.on("error", () => undefined).resume();
  const message = answers[path];
  const known = message !== undefined || path === WATCH_PORTS;
  stream.respond({ "content-type": GRPC }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": known ? "0" : "12" }));
  if (path === WATCH_PORTS) stream.write(enveloped(Buffer.alloc(0)));
  else stream.end(message);
}

/** The connection of a guest to the listener of a host. */
export class FleetConnection implements Disposable {
  readonly #port: number;
  readonly #token: string;
  #session: http2.ClientHttp2Session | undefined;

  constructor(port: number, token: string) {
    this.#port = port;
    this.#token = token;
  }

  /** A notice, to be sent until the host has taken it. */
  notice(containerName: string, failureReason: string): () => Promise<boolean> {
    const message = create(ContainerStopProgressSchema, {
      ...{ containerName, failureReason },
      status: Status.FAILED,
    });
    const body = enveloped(toBinary(ContainerStopProgressSchema, message));
    const id = randomUUID();
    return async () => await this.#send(body, id);
  }

  /** The next notice goes over another connection. */
  [Symbol.dispose](): void {
    this.#session?.close();
    this.#session = undefined;
  }

  /** Whether the host has acknowledged it. */
  async #send(body: Buffer, id: string): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const stream = this.#open().request({
      ":method": "POST",
      ":path": "/vm_tools.tremplin.TremplinListener/UpdateStopStatus",
      "content-type": GRPC,
      te: "trailers",
      authorization: `Bearer ${this.#token}`,
      "tremplin-notice": id,
      "tremplin-daemon": DAEMON_ID,
    });
    stream.once("trailers", (trailers) => resolve(trailers["grpc-status"] === "0"));
    stream.once("error", () => undefined).once("close", () => resolve(false));
    stream.setTimeout(PATIENCE_MS, () => stream.close(http2.constants.NGHTTP2_CANCEL));
    stream.resume().end(body);
    return await promise;
  }

  #open(): http2.ClientHttp2Session {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    this.#session = http2.connect(`http://127.0.0.1:${this.#port}`).on("error", () => undefined);
    return this.#session;
  }
}

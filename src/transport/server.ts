import { X509Certificate } from "node:crypto";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { systemClock } from "../base/async/clock.ts";
import { LogLimit } from "../base/log-limit.ts";
import { type Logger, silentLogger } from "../base/logger.ts";
import { loadNative } from "../base/native/load-native.ts";
import { systemErrorText } from "../base/system-error.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { type Address, formatAddress, isLocal } from "./address.ts";
import { admitRequest } from "./admission.ts";
import { answerCalls, type OnFailure } from "./answer-calls.ts";
import type { IsOwnName } from "./browser-guard.ts";
import { CallBudget } from "./call-budget.ts";
import { type Caller, callerText } from "./caller.ts";
import { Connections, connectionLimits } from "./connections.ts";
import { loopbackAddress } from "./loopback.ts";
import { plainServer } from "./plain-server.ts";
import type { Refusal } from "./refusal.ts";
import { secureServer } from "./secure-server.ts";
import { listenOnInherited, listenOnSocketFile } from "./socket-file.ts";
import type { Tls } from "./tls.ts";
import { type AcceptedToken, AcceptedTokens } from "./token.ts";
import { cidOf } from "./vsock/socket-address.ts";

export interface ServeOptions {
  readonly addresses: readonly Address[];
  readonly routes: (router: ConnectRouter) => void;
  /** Used for tcp only, which needs this or a token. */
  readonly tls?: Tls | undefined;
  /** The tokens that are accepted on tcp without TLS, which is possible only on the loopback interface. */
  readonly tokens?: readonly AcceptedToken[] | AcceptedTokens | undefined;
  /** Whether to serve a caller on vsock, by its context id. Default: everyone. */
  readonly acceptsVsock?: (cid: number) => boolean;
  /** Why a caller is not served, by what the transport proves of it. Default: everyone is. */
  readonly admits?: (caller: Caller) => Refusal | undefined;
  /** The code for a caller without an accepted token or certificate. Default: Unauthenticated. */
  readonly unknownCaller?: Code;
  /** The code for a call that its caller has no room for. Default: ResourceExhausted. */
  readonly noRoom?: Code;
  /** Gets each call that was answered with an error. */
  readonly onFailure?: OnFailure;
  /** Gets errors that are not the peer's own. Default: no log. */
  readonly log?: Logger;
  /** The sockets of these paths that listen already, see takeInheritedSockets. Default: none. */
  readonly inherited?: ReadonlyMap<string, number>;
  /** The id of a group whose members may connect to the Unix sockets too. Default: only this user. */
  readonly socketGroup?: number | undefined;
}

/** A running server, with its real addresses: port 0 is replaced. */
export interface RpcServer extends AsyncDisposable {
  readonly addresses: readonly Address[];
}

/** Serves gRPC, gRPC-Web, Connect and JSON over HTTP/1.1 and HTTP/2 on each address. */
export async function serve(options: ServeOptions): Promise<RpcServer> {
  const { log = silentLogger } = options;
  await using servers = new AsyncDisposableStack();
  const addresses: Address[] = [];
  const budget = new CallBudget();
  const localCaller = await callerOnUnixSocket();
  for (const address of options.addresses) {
    const server = serverFor(address, { ...options, log }, budget, localCaller);
    servers.defer(closing(server));
    if (address.kind === "vsock") {
      const { listenOnVsock } = await loadNative(() => import("./vsock/listen-on-vsock.ts"));
      const { acceptsVsock = () => true } = options;
      const place = { cid: cidOf(address.cid), port: address.port };
      const { port } = servers.use(await listenOnVsock(server, place, acceptsVsock));
      addresses.push({ ...address, port });
    } else addresses.push(await listen(server, address, options));
    // From here on an error means that the machine has no file descriptor or memory left for a connection.
    server.on("error", (error) => log.warn({ error }, "a connection could not be accepted"));
  }
  const running = servers.move();
  return { addresses, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** A server for an address, with what it demands of its callers. Throws `invalid` where anybody could call. */
function serverFor(
  address: Address,
  options: ServeOptions & { readonly log: Logger },
  budget: CallBudget,
  localCaller: (socket: Socket) => Caller,
): NetServer {
  const { routes, log, unknownCaller = Code.Unauthenticated } = options;
  const { admits = () => undefined, noRoom = Code.ResourceExhausted } = options;
  const tls = address.kind === "tcp" ? options.tls : undefined;
  const { tokens: accepted = [] } = options;
  const tokens = accepted instanceof AcceptedTokens ? accepted : new AcceptedTokens(accepted);
  if (address.kind === "tcp" && !tls) checkClear(address, tokens);
  const limit = new LogLimit(systemClock);
  const rules = { isOwnName: ownNames(address, tls), tls, tokens, unknownCaller, admits };
  const connections = new Connections(connectionLimits, (owner) => {
    const admitted = limit.admit(owner);
    if (admitted) log.warn({ caller: owner, ...admitted }, "closed a connection to make room for another");
  });
  const handler = answerCalls({
    ...{ routes, log, budget, noRoom },
    onAdmitted: (socket, caller) => connections.identify(socket, callerText(caller)),
    admit: (request) => admitRequest(request, rules),
    onFailure: options.onFailure ?? logRefusals(log, limit),
  });
  if (tls) return secureServer(tls, handler, connections, { log, limit });
  return plainServer(handler, { connections, callerOf: address.kind === "unix" ? localCaller : undefined });
}

/** Without the native library all users count as one. */
async function callerOnUnixSocket(): Promise<(socket: Socket) => Caller> {
  const native = await loadNative(() => import("./peer-user.ts")).catch(() => undefined);
  return (socket) => ({ kind: "local", uid: native?.peerUser(socket) });
}

function checkClear(address: Address, tokens: AcceptedTokens): void {
  if (!isLocal(address)) {
    throw new TremplinError(
      "invalid",
      `will not listen on ${formatAddress(address)} without TLS: use a loopback address, or give --tls-cert, --tls-key and --tls-ca`,
    );
  }
  if (!tokens.isEmpty) return;
  throw new TremplinError(
    "invalid",
    `will not listen on ${formatAddress(address)} without a token: every user of this machine could connect; use unix:/path, or give a token (--token-file, for guests --guest-token) or TLS`,
  );
}

/** Logs the calls that were refused before anything of them was read. */
function logRefusals(log: Logger, limit: LogLimit): OnFailure {
  return (path, caller, reason) => {
    const admitted = caller ? undefined : limit.admit(reason);
    if (admitted) log.warn({ path: path.slice(0, 200), reason, ...admitted }, "refused a call");
  };
}

/** Whether a server on tcp is called so: the name that it listens on, and those of its certificate. */
function ownNames(address: Address, tls: Tls | undefined): IsOwnName | undefined {
  if (address.kind !== "tcp") return undefined;
  const certificate = tls && new X509Certificate(tls.cert);
  const own = address.host.toLowerCase();
  return (name) =>
    name.toLowerCase() === own || certificate?.checkHost(name, { subject: "never" }) !== undefined;
}

/** Binds a server to an address. Returns the real one: port 0 is replaced. */
export async function listen(
  server: NetServer,
  address: Exclude<Address, { kind: "vsock" }>,
  { inherited, socketGroup }: Pick<ServeOptions, "inherited" | "socketGroup"> = {},
): Promise<Address> {
  if (address.kind === "unix") {
    const fd = inherited?.get(address.path);
    if (fd === undefined) await listenOnSocketFile(server, address.path, socketGroup);
    else await listenOnInherited(server, fd);
    return address;
  }
  const host = isLocal(address) ? await loopbackAddress(address.host) : address.host;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", (error) =>
    reject(
      new TremplinError(
        "failed",
        `cannot listen on ${formatAddress(address)}: ${systemErrorText(error)}`,
        error,
      ),
    ),
  );
  server.listen({ host, port: address.port }, resolve);
  await promise;
  return { ...address, port: (server.address() as AddressInfo).port };
}

/** Follows the connections of a server. Returns how to stop listening, and cut them off. */
export function closing(server: NetServer): () => Promise<void> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
    await promise;
  };
}

import type { ConnectRouter } from "@connectrpc/connect";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { TcpAddress } from "../../transport/address.ts";
import { Connections } from "../../transport/connections.ts";
import { plainServer } from "../../transport/plain-server.ts";
import { closing, listen } from "../../transport/server.ts";
import { consoleUrl } from "./console-address.ts";
import { readConsoleFiles } from "./console-files.ts";
import { consoleHandler } from "./console-handler.ts";
import { OneTimeTokens } from "./one-time-tokens.ts";
import { SessionConnections } from "./session-connections.ts";
import { type SessionId, Sessions } from "./sessions.ts";
import { sessionOfTicket } from "./sign-in.ts";
import type { OpenShell } from "./terminal/open-shell.ts";
import { Terminals } from "./terminal/terminals.ts";
import type { Exchanges } from "./transfers/exchanges.ts";

/** More than one person asks for within ten minutes. */
const signInTokens = { lifetimeMs: 10 * 60_000, most: 32 };

/** They are used at once. */
const connectionTickets = { lifetimeMs: 30_000, most: 256 };

export interface ServeConsoleOptions {
  /** On the loopback interface. */
  readonly address: TcpAddress;
  /** The folder of its files. */
  readonly files: string;
  /** The folder in which the host remembers who is signed in. */
  readonly state: string;
  /** The rpcs that its pages call. */
  readonly routes: (router: ConnectRouter) => void;
  /** The URLs of files that they save and send. */
  readonly exchanges: Exchanges;
  /** Runs the programs of its terminals. */
  readonly openShell: OpenShell;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A URL that signs one browser in. `expiresAt`: milliseconds since 1970. */
export interface SignIn {
  /** Without the token. */
  readonly url: string;
  readonly signInUrl: string;
  readonly expiresAt: number;
}

export interface ConsoleSignIn {
  /** Throws FAILED_PRECONDITION where there is no console. */
  createSignIn(): SignIn;
}

export interface RunningConsole extends ConsoleSignIn, AsyncDisposable {
  /** Undefined where there is no console. */
  readonly url: string | undefined;
}

/** Serves the pages of the console, and the rpcs that they call, to browsers that are signed in. */
export async function serveConsole(options: ServeConsoleOptions): Promise<RunningConsole> {
  const { routes, exchanges, openShell, clock, log } = options;
  const files = await readConsoleFiles(options.files);
  const sessions = await Sessions.open(options.state, clock, log);
  const tokens = new OneTimeTokens<true>(clock, signInTokens);
  const tickets = new OneTimeTokens<SessionId>(clock, connectionTickets);
  // The name has the port, because browsers share cookies between all ports of a machine.
  const cookie = `tremplin-console-${options.address.port}`;
  const all = new Connections();
  const onSignedIn = (socket: object) => all.identify(socket, "the console");
  const signIn = { files, sessions, connections: new SessionConnections(), tokens, tickets, cookie };
  const terminals = new Terminals({
    openShell,
    sessionOfTicket: (ticket, request) => sessionOfTicket(ticket, request, signIn),
    isSignedIn: (id) => sessions.has(id),
    ...{ onSignedIn, clock },
  });
  const handler = consoleHandler({ ...signIn, routes, exchanges, log, onSignedIn });
  const server = plainServer(handler, { connections: all, onUpgrade: terminals.accept.bind(terminals) });
  const close = closing(server);
  const address = (await listen(server, options.address)) as TcpAddress;
  server.on("error", (error) => log.warn({ error }, "a connection of the console could not be accepted"));
  const url = consoleUrl(address);
  return {
    url,
    createSignIn() {
      const { token, expiresAt } = tokens.create(true);
      return { url, signInUrl: `${url}?token=${token}`, expiresAt };
    },
    [Symbol.asyncDispose]: close,
  };
}

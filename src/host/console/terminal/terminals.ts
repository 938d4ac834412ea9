import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../../../base/async/clock.ts";
import { MAX_INPUT_BYTES, TERMINAL_PATH } from "../../../base/terminal-link.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { rejectForeign } from "../request-check.ts";
import type { SessionId } from "../sessions.ts";
import { NOT_SIGNED_IN } from "../sign-in.ts";
import type { OpenShell } from "./open-shell.ts";
import { relayShell } from "./relay-shell.ts";

/** Of all browsers together. Each has a program in a container. */
const MOST = 64;

export interface TerminalsOptions {
  readonly openShell: OpenShell;
  /** Who has a ticket; undefined: nobody. */
  readonly sessionOfTicket: (ticket: string, request: IncomingMessage) => SessionId | undefined;
  readonly isSignedIn: (id: SessionId) => boolean;
  readonly onSignedIn: (socket: object) => void;
  readonly clock: Clock;
}

/** The terminals of the pages: each is a WebSocket, which a ticket opens, because it can have no header of the page. */
export class Terminals {
  readonly #options: TerminalsOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // What precedes the data in a message is small.
    maxPayload: 2 * MAX_INPUT_BYTES,
  });
  #count = 0;

  constructor(options: TerminalsOptions) {
    this.#options = options;
  }

  /** Answers a request for another protocol than HTTP. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [path, query] = (request.url ?? "").split("?", 2);
    const asked = new URLSearchParams(query);
    const rejection = rejectForeign({ method: request.method ?? "", headers: request.headers });
    if (rejection) return void refuse(socket, rejection.status, rejection.sentence);
    if (path !== TERMINAL_PATH) return void refuse(socket, 404, "There is nothing to connect to.");
    const session = this.#options.sessionOfTicket(asked.get("ticket") ?? "", request);
    if (session === undefined) return void refuse(socket, 401, NOT_SIGNED_IN);
    this.#options.onSignedIn(socket);
    const guest = asked.get("guest") ?? "";
    this.#server.handleUpgrade(request, socket, head, (opened) => void this.#run(opened, guest, session));
  }

  async #run(socket: WebSocket, guest: string, session: SessionId): Promise<void> {
    const { openShell, isSignedIn, clock } = this.#options;
    const isFull = this.#count >= MOST;
    this.#count++;
    try {
      await relayShell(socket, {
        open: (inputs, signal) => (isFull ? tooMany() : openShell(guest, inputs, signal)),
        isSignedIn: () => isSignedIn(session),
        clock,
      });
    } finally {
      this.#count--;
    }
  }
}

async function* tooMany(): AsyncGenerator<never> {
  throw new TremplinError("busy", `${MOST} terminals are open already; close one and try again`);
}

function refuse(socket: Duplex, status: number, sentence: string): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "connection: close",
    "content-type: text/plain; charset=utf-8",
    `content-length: ${Buffer.byteLength(sentence)}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${sentence}`);
}

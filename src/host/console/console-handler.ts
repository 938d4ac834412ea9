import { Code, type ConnectRouter } from "@connectrpc/connect";
import type { Logger } from "../../base/logger.ts";
import { type Admission, answerCalls, type Handler } from "../../transport/answer-calls.ts";
import { answerRefusal } from "../../transport/refusal.ts";
import { type Request, type Response, type Send, sendFile, sendSentence } from "./console-answers.ts";
import { rejectForeign } from "./request-check.ts";
import {
  answerStart,
  answerTicket,
  isFromSignedIn,
  NOT_SIGNED_IN,
  type SignInParts,
  sessionOf,
  signOut,
} from "./sign-in.ts";
import type { Exchanges } from "./transfers/exchanges.ts";

export interface ConsoleParts extends SignInParts {
  readonly routes: (router: ConnectRouter) => void;
  /** The URLs of files, which tickets open. */
  readonly exchanges: Exchanges;
  readonly log: Logger;
  /** Gets the connection of a browser that is signed in. */
  readonly onSignedIn: (socket: object) => void;
}

const securityHeaders = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

/** Answers the requests of browsers: pages, sign-in, and rpcs. */
export function consoleHandler(parts: ConsoleParts): Handler {
  const { routes, log, onSignedIn } = parts;
  const admit = (request: Request): Admission => {
    if (sessionOf(request, parts) !== undefined) return { caller: { kind: "local" } };
    return { refusal: { code: Code.Unauthenticated, sentence: NOT_SIGNED_IN } };
  };
  const answerCall = answerCalls({ routes, log, admit, onAdmitted: onSignedIn });
  return (request, response) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    // The peer may reset the stream at any time; that concerns only the peer.
    for (const stream of [request, response]) stream.on("error", () => undefined);
    const path = request.url.split("?", 1)[0] as string;
    const rejection = rejectForeign(request);
    if (isCall(path)) {
      response.setHeader("cache-control", "no-store");
      if (!rejection) return answerCall(request, response);
      const { status: httpStatus, sentence } = rejection;
      const refusal = { code: Code.PermissionDenied, sentence, httpStatus };
      return answerRefusal(request.headers["content-type"], response, refusal);
    }
    if (!rejection && acceptTransfer(path, request, response, parts)) return;
    const answer = rejection
      ? sendSentence({ title: "Not from here", sentences: [rejection.sentence] }, rejection.status)
      : answerPage(path, request, parts);
    sendAnswer(answer, request, response, parts);
  };
}

/** The ticket in the path is not enough: it is for a browser that is signed in, and ends with its session. */
function acceptTransfer(path: string, request: Request, response: Response, parts: ConsoleParts): boolean {
  const { exchanges, onSignedIn } = parts;
  if (!exchanges.isOne(path) || !isFromSignedIn(request, parts)) return false;
  const isAccepted = exchanges.accept(path, request, response);
  // Of somebody unknown it would have to end soon.
  if (isAccepted) onSignedIn(request.socket);
  return isAccepted;
}

function sendAnswer(
  answer: Send | Promise<Send>,
  request: Request,
  response: Response,
  parts: ConsoleParts,
): void {
  Promise.resolve(answer)
    .then((send) => send(request, response, parts.files))
    .catch((error) => {
      const path = request.url.slice(0, 200);
      parts.log.error({ error, path }, "a page of the console could not be answered");
      if (response.headersSent) response.destroy();
      else cannotAnswer(request, response, parts.files);
    });
}

const cannotAnswer = sendSentence(
  {
    title: "That did not work",
    sentences: ["The host could not answer this. Its log has the reason. Open the page again."],
  },
  500,
);

const usedTicket = sendSentence(
  {
    title: "This link has been used, or has expired",
    sentences: ["A file is saved or sent once, within a minute. Begin again in the console."],
  },
  403,
);

/** The path of an rpc: `/package.Service/Method`. */
function isCall(path: string): boolean {
  return /^\/[\w.]+\.[\w.]+\/\w+$/.test(path) && !path.startsWith("/assets/");
}

function answerPage(path: string, request: Request, parts: ConsoleParts): Send | Promise<Send> {
  const { method } = request;
  if (path === "/sign-out" && method === "POST") return signOut(request, parts);
  if (parts.exchanges.isOne(path)) return usedTicket;
  if (path === "/tickets" && method === "POST") return answerTicket(request, parts);
  if (method !== "GET" && method !== "HEAD") {
    return sendSentence(
      { title: "Nothing here takes that", sentences: ["This page can only be read."] },
      405,
    );
  }
  if (path === "/") return answerStart(request, parts);
  const file = path === "/index.html" ? undefined : parts.files.get(path);
  if (file) return sendFile(file, "public, max-age=31536000, immutable");
  return sendSentence({ title: "There is no such page", sentences: ["The console begins at /."] }, 404);
}

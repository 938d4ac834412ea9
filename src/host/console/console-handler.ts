import type { ServerResponse } from "node:http";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import type { Logger } from "../../base/logger.ts";
import { type Admission, answerCalls, type Handler } from "../../transport/answer-calls.ts";
import { answerRefusal } from "../../transport/refusal.ts";
import { type ConsoleFile, type ConsoleFiles, encodingFor } from "./console-files.ts";
import type { OneTimeTokens } from "./one-time-tokens.ts";
import { cookiesNamed, rejectForeign } from "./request-check.ts";
import { type SentencePage, sentencePage } from "./sentence-page.ts";
import { SESSION_DAYS, type Sessions } from "./sessions.ts";
import type { Exchanges } from "./transfers/exchanges.ts";

export interface ConsoleParts {
  readonly files: ConsoleFiles;
  readonly sessions: Sessions;
  readonly tokens: OneTimeTokens;
  /** The name of the cookie that has the secret of a session. */
  readonly cookie: string;
  readonly routes: (router: ConnectRouter) => void;
  /** The URLs of files, which tickets open. */
  readonly exchanges: Exchanges;
  readonly log: Logger;
  /** Gets the connection of a browser that is signed in. */
  readonly onSignedIn: (socket: object) => void;
}

type Request = Parameters<Handler>[0];
type Response = Parameters<Handler>[1];

const SIGN_IN = "tremplin console";

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
    if (isSignedIn(request, parts)) return { caller: { kind: "local" } };
    const sentence = `this browser is not signed in: run ${SIGN_IN} and open the URL that it prints`;
    return { refusal: { code: Code.Unauthenticated, sentence } };
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
    if (!rejection && parts.exchanges.accept(path, request, response)) return;
    const answer = rejection
      ? answerSentence({ title: "Not from here", sentences: [rejection.sentence] }, rejection.status)
      : answerPage(path, request, parts);
    Promise.resolve(answer)
      .then((send) => send(request, response, parts))
      .catch((error) => {
        log.error({ error, path: path.slice(0, 200) }, "a page of the console could not be answered");
        if (response.headersSent) response.destroy();
        else answerSentence(cannotAnswer, 500)(request, response, parts);
      });
  };
}

const cannotAnswer: SentencePage = {
  title: "That did not work",
  sentences: ["The host could not answer this. Its log has the reason. Open the page again."],
};

const usedTicket: SentencePage = {
  title: "This link has been used, or has expired",
  sentences: ["A file is saved or sent once, within a minute. Begin again in the console."],
};

/** The path of an rpc: `/package.Service/Method`. */
function isCall(path: string): boolean {
  return /^\/[\w.]+\.[\w.]+\/\w+$/.test(path) && !path.startsWith("/assets/");
}

type Send = (request: Request, response: Response, parts: ConsoleParts) => void;

function answerPage(path: string, request: Request, parts: ConsoleParts): Send | Promise<Send> {
  const { method } = request;
  if (path === "/sign-out" && method === "POST") return signOut(request, parts);
  if (parts.exchanges.isOne(path)) return answerSentence(usedTicket, 403);
  if (method !== "GET" && method !== "HEAD") {
    return answerSentence(
      { title: "Nothing here takes that", sentences: ["This page can only be read."] },
      405,
    );
  }
  if (path === "/") return answerStart(request, parts);
  const file = path === "/index.html" ? undefined : parts.files.get(path);
  if (file) return sendFile(file, "public, max-age=31536000, immutable");
  return answerSentence({ title: "There is no such page", sentences: ["The console begins at /."] }, 404);
}

/** The page of the console for a browser that is signed in, or has a token. */
function answerStart(request: Request, parts: ConsoleParts): Send | Promise<Send> {
  const isKnown = isSignedIn(request, parts);
  const token = new URLSearchParams(request.url.split("?")[1] ?? "").get("token");
  if (token === null) {
    const file = parts.files.get("/index.html");
    if (isKnown && file) return sendFile(file, "no-cache");
    return answerSentence(
      {
        title: "Sign in",
        sentences: [
          "This browser is not signed in yet. Run this on the machine of the host, and open the URL that it prints:",
        ],
        command: SIGN_IN,
      },
      401,
    );
  }
  // Somebody opens it again, or looks whether it is still there.
  if (isKnown || request.method === "HEAD") return goOn({});
  return signIn(token, parts);
}

async function signIn(token: string, { tokens, sessions, cookie }: ConsoleParts): Promise<Send> {
  if (!tokens.redeem(token)) {
    return answerSentence(
      {
        title: "This URL has been used, or has expired",
        sentences: [
          "Each one signs in one browser, within ten minutes. Run this on the machine of the host for a new one:",
        ],
        command: SIGN_IN,
      },
      403,
    );
  }
  const secret = await sessions.begin();
  return goOn({ "set-cookie": cookieText(cookie, secret, SESSION_DAYS * 24 * 3600) });
}

/**
 * A page that leads on, not a redirect: a browser that came from another site would follow that without the cookie,
 * which is for requests of our own pages alone.
 */
function goOn(headers: Readonly<Record<string, string>>): Send {
  const page = { title: "Signed in", sentences: ["The console opens."], next: "/" };
  return (request, response, parts) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    answerSentence(page, 200)(request, response, parts);
  };
}

async function signOut(request: Request, parts: ConsoleParts): Promise<Send> {
  for (const secret of secretsOf(request, parts)) await parts.sessions.end(secret);
  return (_request, response) => {
    response.setHeader("set-cookie", cookieText(parts.cookie, "", 0));
    send(response, 204, "");
  };
}

function cookieText(name: string, value: string, seconds: number): string {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;
}

function isSignedIn(request: Request, parts: ConsoleParts): boolean {
  return secretsOf(request, parts).some((secret) => parts.sessions.isSignedIn(secret));
}

function secretsOf({ headers }: Request, { cookie }: ConsoleParts): string[] {
  return cookiesNamed(cookie, headers.cookie);
}

function sendFile({ type, bodies }: ConsoleFile, caching: string): Send {
  return ({ headers, method }, response) => {
    const encoding = encodingFor(headers["accept-encoding"] as string | undefined);
    response.setHeader("content-type", type);
    response.setHeader("cache-control", caching);
    response.setHeader("vary", "accept-encoding");
    if (encoding !== "identity") response.setHeader("content-encoding", encoding);
    response.setHeader("content-length", bodies[encoding].length);
    send(response, 200, method === "HEAD" ? "" : bodies[encoding]);
  };
}

function answerSentence(page: SentencePage, status: number): Send {
  return ({ method }, response, { files }) => {
    const named = (suffix: string): string => [...files.keys()].find((path) => path.endsWith(suffix)) ?? "";
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.setHeader("cache-control", "no-store");
    send(
      response,
      status,
      method === "HEAD" ? "" : sentencePage(page, { style: named(".css"), icon: named(".svg") }),
    );
  };
}

function send(response: ServerResponse, status: number, body: string | Buffer): void {
  response.statusCode = status;
  response.end(body);
}

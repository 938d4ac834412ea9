import { PAGE_KEY } from "../../base/page-key.ts";
import { type Request, type Send, send, sendFile, sendJson, sendSentence } from "./console-answers.ts";
import type { ConsoleFiles } from "./console-files.ts";
import type { OneTimeTokens } from "./one-time-tokens.ts";
import { cookiesNamed } from "./request-check.ts";
import type { SessionConnections } from "./session-connections.ts";
import { type Credentials, SESSION_DAYS, type SessionId, type Sessions } from "./sessions.ts";

/** A request for a page, a call, or another protocol. */
type Asking = Pick<Request, "headers" | "socket"> & Partial<Pick<Request, "stream">>;

export interface SignInParts {
  readonly files: ConsoleFiles;
  readonly sessions: Sessions;
  readonly connections: SessionConnections;
  readonly tokens: OneTimeTokens<true>;
  /** Each opens one connection that cannot have a header of its own, for the session that asked for it. */
  readonly tickets: OneTimeTokens<SessionId>;
  /** The name of the cookie that has one of the secrets of a session. */
  readonly cookie: string;
}

/** The command that prints a URL. */
export const SIGN_IN = "tremplin console";

/** The sentence for a call of a browser that is not signed in. */
export const NOT_SIGNED_IN = `this browser is not signed in: run ${SIGN_IN} and open the URL that it prints`;

/** The session of a request; undefined: it does not show both secrets of one. */
export function sessionOf(request: Request, parts: SignInParts): SessionId | undefined {
  const id = parts.sessions.find(credentialsOf(request, parts));
  if (id !== undefined) parts.connections.add(id, request);
  return id;
}

/** The session that a ticket was given to, once, and to no other browser. */
export function sessionOfTicket(ticket: string, request: Asking, parts: SignInParts): SessionId | undefined {
  const id = parts.tickets.redeem(ticket);
  if (id === undefined || parts.sessions.ofCookies(cookiesOf(request, parts)) !== id) return undefined;
  parts.connections.add(id, request);
  return id;
}

/** Whether a request has the cookie of a session, with which its connection then ends. Enough only beside a ticket. */
export function isFromSignedIn(request: Request, parts: SignInParts): boolean {
  const id = parts.sessions.ofCookies(cookiesOf(request, parts));
  if (id !== undefined) parts.connections.add(id, request);
  return id !== undefined;
}

/** The page of the console for a browser that has the cookie of a session, or a token. */
export function answerStart(request: Request, parts: SignInParts): Send | Promise<Send> {
  const known = parts.sessions.ofCookies(cookiesOf(request, parts));
  const token = new URLSearchParams(request.url.split("?")[1] ?? "").get("token");
  if (token === null) {
    const file = parts.files.get("/index.html");
    return known !== undefined && file ? sendFile(file, "no-cache") : notYet;
  }
  // Somebody looks whether it is still there.
  if (request.method === "HEAD") return goOn;
  return signIn(token, known, request, parts);
}

const notYet = sendSentence(
  {
    title: "Sign in",
    sentences: [
      "This browser is not signed in yet. Run this on the machine of the host, and open the URL that it prints:",
    ],
    command: SIGN_IN,
  },
  401,
);

const usedUp = sendSentence(
  {
    title: "This URL has been used, or has expired",
    sentences: [
      "Each one signs in one browser, within ten minutes. Run this on the machine of the host for a new one:",
    ],
    command: SIGN_IN,
  },
  403,
);

const signedIn = { title: "Signed in", sentences: ["The console opens."] };

/**
 * A page that leads on, not a redirect: a browser that came from another site would follow that without the cookie,
 * which is for requests of our own pages alone.
 */
const goOn = sendSentence({ ...signedIn, next: "/" }, 200);

/** `known`: the session that the browser had. */
async function signIn(
  token: string,
  known: SessionId | undefined,
  asking: Request,
  parts: SignInParts,
): Promise<Send> {
  const { tokens, sessions, cookie } = parts;
  // Whoever has the cookie may go back to a URL that was used.
  if (!tokens.redeem(token)) return known === undefined ? usedUp : goOn;
  const end = known === undefined ? undefined : await endSession(known, asking, parts);
  const secrets = await sessions.begin();
  return (request, response, files) => {
    end?.(response);
    response.setHeader("set-cookie", cookieText(cookie, secrets.cookie, SESSION_DAYS * 24 * 3600));
    sendSentence({ ...signedIn, pageKey: secrets.pageKey }, 200)(request, response, files);
  };
}

export async function signOut(request: Request, parts: SignInParts): Promise<Send> {
  const id = sessionOf(request, parts);
  const end = id === undefined ? undefined : await endSession(id, request, parts);
  return (_request, response) => {
    end?.(response);
    response.setHeader("set-cookie", cookieText(parts.cookie, "", 0));
    send(response, 204, "");
  };
}

/**
 * Returns what to call with the answer, whose own connection is one of those that end. The others do at once: whoever
 * asked may have gone before there is an answer.
 */
async function endSession(id: SessionId, asking: Request, { sessions, connections }: SignInParts) {
  const ended = sessions.end(id);
  connections.end(id, asking);
  await ended;
  return (answer: { once(event: "close", listener: () => void): unknown }): void =>
    void answer.once("close", () => connections.end(id));
}

/** A ticket for a browser that is signed in. */
export function answerTicket(request: Request, parts: SignInParts): Send {
  const id = sessionOf(request, parts);
  if (id === undefined) return sendJson({ message: NOT_SIGNED_IN }, 401);
  return sendJson({ ticket: parts.tickets.create(id).token }, 200);
}

function cookieText(name: string, value: string, seconds: number): string {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;
}

function credentialsOf(request: Request, parts: SignInParts): Credentials {
  const pageKey = request.headers[PAGE_KEY];
  return { cookies: cookiesOf(request, parts), pageKey: typeof pageKey === "string" ? pageKey : "" };
}

function cookiesOf({ headers }: Asking, { cookie }: SignInParts): string[] {
  return cookiesNamed(cookie, headers.cookie);
}

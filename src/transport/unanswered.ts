import { Code, ConnectError } from "@connectrpc/connect";
import { systemErrorText } from "../base/system-error.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { SilentPeerError } from "./session-manager.ts";

/**
 * Why a call got no answer of the service that it is for:
 * - `absent`: nothing listens at the address, or no network leads there;
 * - `forbidden`: this process may not connect;
 * - `foreign`: another program listens there;
 * - `late`: the answer did not come in time;
 * - `lost`: the connection broke;
 * - `explained`: the way to the address has a sentence of its own, which names the address.
 */
export interface Unanswered {
  readonly kind: "absent" | "forbidden" | "foreign" | "late" | "lost" | "explained";
  /** In plain words; without the address, except in `explained`. */
  readonly reason: string;
}

export interface Peer {
  readonly spokeHttp2: boolean;
  /** Whether the connection was made without TLS to an address that may require it. */
  readonly mayNeedTls: boolean;
}

const TLS_FLAGS = "--tls-cert, --tls-key and --tls-ca";

const ABSENT = new Set([
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENODEV",
  "ENOENT",
  "ENOTFOUND",
  "ETIMEDOUT",
]);

/** Undefined for an error that the service itself answered with. */
export function whyUnanswered(thrown: unknown, peer: Peer): Unanswered | undefined {
  const error = ConnectError.from(thrown);
  if (error.isWireError) return undefined;
  const chain = chainOf(error);
  const own = chain.find((each) => each instanceof TremplinError);
  if (own) return { kind: "explained", reason: own.message };
  const isSilent = chain.some((each) => each instanceof SilentPeerError);
  if (isSilent || error.code === Code.DeadlineExceeded)
    return { kind: "late", reason: "it did not answer in time" };
  const cause = chain.find(
    (each) => (each as NodeJS.ErrnoException).code !== undefined && !(each instanceof ConnectError),
  );
  return (cause && fromSystem(cause)) ?? fromHttp(error) ?? fromPeer(peer);
}

function fromSystem(cause: Error): Unanswered | undefined {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM") return { kind: "forbidden", reason: systemErrorText(cause) };
  // A program that does not understand the first bytes of HTTP/2 may reset the connection.
  if (code === "ECONNRESET" || code === "EPIPE") return undefined;
  if (ABSENT.has(code)) return { kind: "absent", reason: systemErrorText(cause) };
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) {
    return {
      kind: "foreign",
      reason: `it does not speak TLS, or refuses this side's certificate: check ${TLS_FLAGS}`,
    };
  }
  if (code.startsWith("ERR_TLS_") || /CERT|SELF_SIGNED|ISSUER|CRL/.test(code)) {
    return { kind: "foreign", reason: `its certificate is not accepted (${message}): check --tls-ca` };
  }
  return undefined;
}

/** The answer of a web server or a proxy. */
function fromHttp({ rawMessage }: ConnectError): Unanswered | undefined {
  if (!/^(HTTP \d+$|unsupported content type|protocol error: missing status)/.test(rawMessage))
    return undefined;
  const what = /^HTTP \d+$/.test(rawMessage) ? rawMessage : "something other than gRPC";
  return { kind: "foreign", reason: `it is a web server, which answered ${what}` };
}

function fromPeer({ spokeHttp2, mayNeedTls }: Peer): Unanswered {
  if (spokeHttp2) return { kind: "lost", reason: "the connection was cut off" };
  const reason = mayNeedTls
    ? `it does not speak HTTP/2, or only with TLS (${TLS_FLAGS})`
    : "it does not speak HTTP/2";
  return { kind: "foreign", reason };
}

function chainOf(error: Error): Error[] {
  const chain: Error[] = [];
  for (let at: unknown = error; at instanceof Error && !chain.includes(at); at = at.cause) chain.push(at);
  return chain;
}

import { Code } from "@connectrpc/connect";
import type { Admission } from "./answer-calls.ts";
import { type IsOwnName, refuseBrowser } from "./browser-guard.ts";
import { type Caller, type CertifiedCaller, callerOn } from "./caller.ts";
import type { Refusal } from "./refusal.ts";
import { roleText } from "./role.ts";
import { reasonToRefuse, type Tls } from "./tls.ts";
import type { AcceptedTokens } from "./token.ts";

export interface AdmissionRules {
  /** Whether a server on tcp is called so, besides localhost and IP addresses; undefined: on a Unix socket or vsock. */
  readonly isOwnName: IsOwnName | undefined;
  /** Of a server with TLS. */
  readonly tls: Tls | undefined;
  /** Accepted from callers whom nothing else proves. */
  readonly tokens: AcceptedTokens;
  /** The code for a caller without an accepted token or certificate. */
  readonly unknownCaller: Code;
  /** Why a caller is not served here; undefined: it is. */
  readonly admits: (caller: Caller) => Refusal | undefined;
}

interface Request {
  readonly rawHeaders: readonly string[];
  readonly headers: { readonly authorization?: string | undefined };
  readonly socket: object;
}

/** Checks a request: that no web page made it, who calls, and whether that caller is served here. */
export function admitRequest({ rawHeaders, headers, socket }: Request, rules: AdmissionRules): Admission {
  const fromBrowser = refuseBrowser(rawHeaders, rules.isOwnName);
  if (fromBrowser) return { refusal: fromBrowser };
  const caller = callerOn(socket) ?? tokenCaller(headers.authorization, rules.tokens);
  if (!caller) return { refusal: { code: rules.unknownCaller, sentence: NO_TOKEN } };
  if (caller.kind === "certificate" && rules.tls) {
    const sentence = reasonToRefuse(caller, rules.tls);
    if (sentence !== undefined) return { refusal: { code: rules.unknownCaller, sentence } };
  }
  const refusal = rules.admits(caller);
  return refusal ? { refusal } : { caller };
}

const NO_TOKEN =
  "this address is served only with the right token: give its file with --token-file (or TREMPLIN_TOKEN_FILE), or send authorization: Bearer TOKEN";

function tokenCaller(authorization: string | undefined, tokens: AcceptedTokens): Caller | undefined {
  const found = tokens.find(authorization);
  return found && { kind: "token", guest: found.guest };
}

/**
 * Admits the certificates of a role, and all callers without a certificate. The one of --tls-peer needs no role: where a
 * server has one, it is that of its only caller.
 */
export function admitRole(role: "host" | "client"): (caller: Caller) => Refusal | undefined {
  return (caller) => {
    if (caller.kind !== "certificate" || caller.isPeer || caller.role?.kind === role) return undefined;
    const sentence = wrongRole(caller, role === "host" ? "the host" : "clients");
    return { code: Code.PermissionDenied, sentence };
  };
}

/** Why a certificate is refused that has another role than the wanted one, or none. */
export function wrongRole({ role, serial }: CertifiedCaller, wanted: string): string {
  const whose = role ? `is of ${roleText(role)}` : "has no role";
  return `certificate ${serial} ${whose}, and this address serves only ${wanted}; tremplin trust makes certificates with roles`;
}

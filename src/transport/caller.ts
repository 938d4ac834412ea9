import { createContextKey } from "@connectrpc/connect";
import { type Role, roleText } from "./role.ts";

/** Who calls, as far as the transport proves it. Nothing that is in the call itself counts, except a token. */
export type Caller =
  /** Whoever may open the socket file. `uid`: of the user who did, where that is known. */
  | { readonly kind: "local"; readonly uid?: number | undefined }
  /** The machine of this context id, which the kernel guarantees. */
  | { readonly kind: "vsock"; readonly cid: number }
  | CertifiedCaller
  /** Whoever has the token; `guest`: the guest that shares it. */
  | { readonly kind: "token"; readonly guest: string | undefined };

/** The owner of a certificate that our authority signed. */
export interface CertifiedCaller {
  readonly kind: "certificate";
  /** Undefined for a certificate without a role. */
  readonly role: Role | undefined;
  /** Hexadecimal. */
  readonly serial: string;
  /** Whether it is the one certificate that `--tls-peer` names. */
  readonly isPeer: boolean;
}

/** Who calls, for messages; the same for all connections of a caller, different for each caller. */
export function callerText(caller: Caller | undefined): string {
  if (caller?.kind === "vsock") return `vsock ${caller.cid}`;
  if (caller?.kind === "token")
    return caller.guest === undefined ? "a token" : `the token of guest ${caller.guest}`;
  if (caller?.kind === "certificate") {
    return caller.role ? `the certificate of ${roleText(caller.role)}` : `certificate ${caller.serial}`;
  }
  if (caller?.uid !== undefined) return `user ${caller.uid} of this machine`;
  return caller ? "a socket of this machine" : "nobody known";
}

/** The caller of an rpc. */
export const callerKey = createContextKey<Caller>({ kind: "local" }, { description: "who calls" });

const property = Symbol("caller");

/** The HTTP/2 session hides the socket behind a proxy, so a WeakMap of sockets would not find it. */
interface Marked {
  [property]?: Caller;
}

/** Notes the caller of all requests on a socket. */
export function setCaller(socket: object, caller: Caller): void {
  (socket as Marked)[property] = caller;
}

/** Undefined where only a token can show who calls. */
export function callerOn(socket: object | undefined): Caller | undefined {
  return (socket as Marked | undefined)?.[property];
}

import { type CallOptions, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { PAGE_KEY } from "../../base/page-key.ts";
import { plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { Host } from "../../contract/tremplin/v1/host_pb.js";
import { Tremplin } from "../../contract/tremplin_pb.js";
import { forgetPageKey, pageKey } from "./page-key.ts";

/** Shows that a page of this browser calls, and not just somebody who has its cookie. */
const withPageKey: Interceptor = (next) => (request) => {
  request.header.set(PAGE_KEY, pageKey());
  return next(request);
};

const transport = createConnectTransport({
  baseUrl: location.origin,
  useBinaryFormat: true,
  interceptors: [withPageKey],
});

/** The API of the host, which also forwards to its guests. */
export const host = createClient(Host, transport);
export const tremplin = createClient(Tremplin, transport);
export const guestService = createClient(Guest, transport);

/** The longest that a guest may take to answer a request. */
const CALL_TIMEOUT_MS = 120_000;

/** Options of a call to a guest. */
export function onGuest(name: string, operation?: string): CallOptions {
  const headers = { "tremplin-guest": name, ...(operation && { "tremplin-operation": operation }) };
  return { headers, timeoutMs: CALL_TIMEOUT_MS };
}

/** Ends the session of this browser. */
export async function signOut(): Promise<void> {
  await fetch("/sign-out", { method: "POST", headers: { [PAGE_KEY]: pageKey() } });
  forgetPageKey();
  location.replace("/");
}

export function isSignedOut(thrown: unknown): boolean {
  return ConnectError.from(thrown).code === Code.Unauthenticated;
}

/** What went wrong, as a sentence. Those of the host and of its guests say what to do. */
export function sentenceOf(thrown: unknown): string {
  if (thrown instanceof TypeError || (thrown instanceof ConnectError && thrown.cause instanceof TypeError)) {
    return "The host does not answer. Is it running? This page goes on as soon as it is.";
  }
  if (thrown instanceof TremplinError) return sentence(thrown.message);
  const { rawMessage, code } = ConnectError.from(thrown);
  return sentence(rawMessage || `The host answered ${Code[code]}`);
}

/** The names of guests and containers, which are written as they are where a sentence begins with one. */
export const knownNames = new Set<string>();

/** A text of the host or a guest as a sentence of its own. */
export function sentence(text: string): string {
  const plain = plainText(text);
  if (plain === "") return "";
  const [first = ""] = plain.split(/[\s:;,]/, 1);
  const isWord = /^[a-z]+$/.test(first) && !knownNames.has(first);
  const begun = isWord ? `${plain[0]?.toUpperCase()}${plain.slice(1)}` : plain;
  return /[.!?:]$/.test(begun) ? begun : `${begun}.`;
}

import { isIP } from "node:net";
import { Code } from "@connectrpc/connect";
import { isLocalhost } from "./address.ts";
import type { Refusal } from "./refusal.ts";

export type IsOwnName = (name: string) => boolean;

/**
 * Why a request is refused that the page of a web site could have made; undefined for any other. Browsers send `Origin`
 * with each request that could change something. A page whose own name resolves to this machine (DNS rebinding) cannot
 * hide that name: it is in `Host`. `isOwnName`: whether a server on tcp is called so, besides localhost and IP addresses;
 * undefined where no browser can connect, and where gRPC puts the path of the socket in place of a name.
 */
export function refuseBrowser(
  rawHeaders: readonly string[],
  isOwnName: IsOwnName | undefined,
): Refusal | undefined {
  if (valuesOf(rawHeaders, "origin").length > 0) {
    return refusal(403, "requests of web pages are not answered: this one has the header Origin");
  }
  if (!isOwnName) return undefined;
  const hosts = [...valuesOf(rawHeaders, ":authority"), ...valuesOf(rawHeaders, "host")];
  if (hosts.length > 0 && hosts.every((host) => namesServer(host, isOwnName))) return undefined;
  return refusal(
    421,
    "a request must name this server by localhost, by an IP address or by a name of its certificate, in Host or :authority",
  );
}

function refusal(httpStatus: number, sentence: string): Refusal {
  return { code: Code.PermissionDenied, sentence, httpStatus };
}

/** The values of a header, of which the list has names and values in turn. */
function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

/** Whether it is `localhost`, an IP address or a name of the server, with or without a port. */
function namesServer(authority: string, isOwnName: IsOwnName): boolean {
  const [, v6, plain = ""] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(authority) ?? [];
  if (v6 !== undefined) return isIP(v6) === 6;
  return isLocalhost(plain) || isIP(plain) === 4 || (/^[a-z0-9.-]+$/i.test(plain) && isOwnName(plain));
}

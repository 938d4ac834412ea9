import type { IncomingHttpHeaders } from "node:http";
import { isLocalhost } from "../../transport/address.ts";
import { isLoopback } from "../../transport/loopback.ts";

/** A status of HTTP, and a sentence that says what to do. */
export interface Rejection {
  readonly status: number;
  readonly sentence: string;
}

interface Request {
  readonly method: string;
  readonly headers: IncomingHttpHeaders & { readonly ":authority"?: string | undefined };
}

/**
 * Why a request is rejected that another web site could have caused; undefined for any other. A page whose own name
 * resolves to this machine (DNS rebinding) cannot hide that name: it is in `Host`. The pages of other ports of this
 * machine share the cookies of the console, but not its `Origin`.
 */
export function rejectForeign({ method, headers }: Request): Rejection | undefined {
  const host = headers[":authority"] ?? headers.host ?? "";
  if (!isOwnHost(host)) {
    const sentence =
      "The console answers only as 127.0.0.1, [::1] or localhost. Open the URL that tremplin console prints.";
    return { status: 421, sentence };
  }
  const { origin } = headers;
  const changes = (method !== "GET" && method !== "HEAD") || headers.upgrade !== undefined;
  if (origin === undefined ? changes : origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    const sentence =
      "Only pages of the console itself may ask for this, and another page has. Close the page that you came from.";
    return { status: 403, sentence };
  }
  const site = headers["sec-fetch-site"];
  if (changes && site !== undefined && site !== "same-origin") {
    return {
      status: 403,
      sentence: "Only pages of the console itself may ask for this, and another site has.",
    };
  }
  return undefined;
}

/** Whether it names this machine without a name server, with or without a port. A tunnel may have another port. */
function isOwnHost(host: string): boolean {
  const [, v6, plain = ""] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(host) ?? [];
  return isLoopback(v6 ?? plain) || (v6 === undefined && isLocalhost(plain));
}

/** More of a name than a browser would send: each takes time to check. */
const MOST_COOKIES = 4;

/** The values of a cookie: there may be several of a name, for different paths. None where there are too many. */
export function cookiesNamed(name: string, header: string | undefined): string[] {
  const values = (header ?? "")
    .split(";")
    .map((each) => each.trim())
    .filter((each) => each.startsWith(`${name}=`))
    .map((each) => each.slice(name.length + 1));
  return values.length > MOST_COOKIES ? [] : values;
}

import { TremplinError } from "../../base/tremplin-error.ts";
import { formatAddress, isLocal, parseAddress, type TcpAddress } from "../../transport/address.ts";

/**
 * Reads `HOST:PORT`; undefined for `none`. Throws `invalid` for an address that other machines could reach: a browser
 * would send its cookie there in clear.
 */
export function parseConsoleAddress(text: string): TcpAddress | undefined {
  if (text === "none") return undefined;
  const address = read(text);
  if (isLocal(address)) return address;
  throw new TremplinError(
    "invalid",
    `will not serve the console on ${text}, where other machines could read it: use 127.0.0.1:PORT, and from another machine ssh -L PORT:127.0.0.1:PORT`,
  );
}

function read(text: string): TcpAddress {
  try {
    const address = parseAddress(`tcp:${text}`);
    if (address.kind === "tcp") return address;
  } catch {
    // The message would name other forms.
  }
  throw new TremplinError(
    "invalid",
    `"${text}" is no address for the console: write HOST:PORT, for example 127.0.0.1:7780, or none`,
  );
}

/** The URL of a console. */
export function consoleUrl(address: TcpAddress): string {
  return `http://${formatAddress(address).slice("tcp:".length)}/`;
}

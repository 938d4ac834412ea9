import { readFileSync, statSync, unwatchFile, watchFile } from "node:fs";
import { errorMessage, TremplinError } from "../base/tremplin-error.ts";

/** How often the file is checked for the connections that are open. New calls read it themselves. */
const WATCH_INTERVAL_MS = 1_000;

interface Content {
  readonly version: string;
  readonly serials: ReadonlySet<string>;
}

/**
 * The serial numbers of revoked certificates: one in each line of a file, followed by anything; `#` begins a comment. The
 * file is read again whenever it has changed. No certificate is revoked while it does not exist, every one while it
 * cannot be read.
 */
export class RevokedSerials {
  readonly #path: string;
  #content: Content = { version: "", serials: new Set() };

  constructor(path: string) {
    this.#path = path;
  }

  /** Why a certificate must be refused; undefined if it is not revoked. */
  reasonToRefuse(serial: string): string | undefined {
    try {
      return this.#read().has(normalSerial(serial)) ? `certificate ${serial} was revoked` : undefined;
    } catch (error) {
      return `no certificate is accepted while ${this.#path} cannot be read: ${errorMessage(error)}`;
    }
  }

  /** Calls back when the file may have changed. */
  watch(changed: () => void): Disposable {
    watchFile(this.#path, { interval: WATCH_INTERVAL_MS, persistent: false }, changed);
    return { [Symbol.dispose]: () => unwatchFile(this.#path, changed) };
  }

  #read(): ReadonlySet<string> {
    const stat = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    const version = stat ? `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}` : "";
    if (version !== this.#content.version) {
      const text = stat ? readFileSync(this.#path, "utf8") : "";
      this.#content = { version, serials: parseSerials(text) };
    }
    return this.#content.serials;
  }
}

/** Throws `invalid` for a line that is no serial number, since the certificate it means would be accepted. */
export function parseSerials(text: string): Set<string> {
  const serials = new Set<string>();
  for (const [index, line] of text.split("\n").entries()) {
    const [word = ""] = line.trim().split(/\s+/);
    if (word === "" || word.startsWith("#")) continue;
    if (!/^[0-9A-Fa-f:]{1,80}$/.test(word)) {
      throw new TremplinError(
        "invalid",
        `line ${index + 1} does not begin with a serial number: ${word.slice(0, 80)}`,
      );
    }
    serials.add(normalSerial(word));
  }
  return serials;
}

/** Programs print serial numbers in either case, with or without colons and leading zeros. */
export function normalSerial(text: string): string {
  return text
    .replaceAll(":", "")
    .toUpperCase()
    .replace(/^0+(?=.)/, "");
}

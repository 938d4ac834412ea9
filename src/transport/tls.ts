import { readFileSync } from "node:fs";
import { TremplinError } from "../base/tremplin-error.ts";

/** Mutual TLS: each side has a certificate signed by the other's authority. PEM texts. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Reads the three PEM files; undefined if no path is given. Throws `invalid` if some are missing or unreadable. */
export function readTls(paths: { cert?: string; key?: string; ca?: string }): Tls | undefined {
  const { cert, key, ca } = paths;
  if (!cert && !key && !ca) return undefined;
  if (!cert || !key || !ca) {
    throw new TremplinError("invalid", "TLS needs all three of --tls-cert, --tls-key and --tls-ca");
  }
  return { cert: readPem(cert), key: readPem(key), ca: readPem(ca) };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new TremplinError("invalid", `cannot read ${path} for TLS: ${(error as Error).message}`, error);
  }
}

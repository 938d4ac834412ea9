import { readFileSync } from "node:fs";
import { TremplinError } from "../base/tremplin-error.ts";

/** Mutual TLS: both sides show a certificate that the other's authority signed. PEM texts. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Reads the three PEM files. All or none must be given; none means no TLS. */
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

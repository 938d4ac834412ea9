import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createSecureContext } from "node:tls";
import { systemErrorSentence } from "../base/system-error.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import type { CertifiedCaller } from "./caller.ts";
import { RevokedSerials } from "./revoked-serials.ts";
import { roleIn } from "./role.ts";

/** Mutual TLS: each side has a certificate signed by the other's authority. PEM texts. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** The SHA-256 fingerprint of the only certificate that is accepted. Undefined: any of the authority. */
  readonly peer?: string | undefined;
  /** Certificates of the authority that are not accepted. */
  readonly revoked?: RevokedSerials | undefined;
}

/** The paths of PEM files, and of the list of revoked serial numbers. */
export interface TlsPaths {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
  readonly peer?: string | undefined;
  /** Default: `revoked` in the folder of `ca`. */
  readonly revoked?: string | undefined;
}

/** Reads the PEM files; undefined if no path is given. Throws `invalid` if some are missing or unreadable. */
export function readTls(paths: TlsPaths): Tls | undefined {
  const { cert, key, ca, peer, revoked } = paths;
  if (!cert && !key && !ca && !peer && !revoked) return undefined;
  if (!cert || !key || !ca) {
    throw new TremplinError("invalid", "TLS needs all three of --tls-cert, --tls-key and --tls-ca");
  }
  const pems = { cert: readPem(cert), key: readPem(key), ca: readPem(ca) };
  try {
    createSecureContext(pems);
  } catch (error) {
    throw new TremplinError(
      "invalid",
      `cannot use TLS: ${cert} must be a certificate, ${key} its key and ${ca} the certificate of an authority, all in PEM form`,
      error,
    );
  }
  return {
    ...pems,
    peer: peer && fingerprintOf(peer),
    revoked: new RevokedSerials(revoked ?? join(dirname(ca), "revoked")),
  };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new TremplinError(
      "invalid",
      `cannot read ${path} for TLS: ${systemErrorSentence(error as Error)}`,
      error,
    );
  }
}

function fingerprintOf(path: string): string {
  const pem = readPem(path);
  try {
    return new X509Certificate(pem).fingerprint256;
  } catch (error) {
    throw new TremplinError("invalid", `${path} is not a certificate in PEM form`, error);
  }
}

/** What is checked of a certificate, in the form in which Node describes it. */
export interface PeerCertificate {
  readonly subjectaltname?: string | undefined;
  readonly serialNumber: string;
  readonly fingerprint256: string;
}

/** The owner of a certificate that the authority signed. */
export function certifiedCaller(certificate: PeerCertificate, tls: Tls): CertifiedCaller {
  return {
    kind: "certificate",
    role: roleIn(certificate.subjectaltname),
    serial: certificate.serialNumber,
    isPeer: certificate.fingerprint256 === tls.peer,
  };
}

/** Why a certificate of the authority is accepted from nobody; undefined if it is accepted. */
export function reasonToRefuse({ serial, isPeer }: CertifiedCaller, tls: Tls): string | undefined {
  if (tls.peer !== undefined && !isPeer) return `certificate ${serial} is not the one of --tls-peer`;
  return tls.revoked?.reasonToRefuse(serial);
}

import { systemErrorText } from "../base/system-error.ts";

const meanings: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet; check the clocks of both machines",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is not signed by the authority of --tls-ca",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate is not signed by the authority of --tls-ca",
  UNABLE_TO_GET_ISSUER_CERT: "the certificate is not signed by the authority of --tls-ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the certificate is not signed by the authority of --tls-ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the certificate is not signed by the authority of --tls-ca",
  CERT_SIGNATURE_FAILURE: "the certificate is not signed by the authority of --tls-ca",
  INVALID_PURPOSE: "the certificate is for another purpose",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is not for this address, and has no role",
  ERR_SSL_HTTP_REQUEST: "the other side does not use TLS",
  ERR_SSL_WRONG_VERSION_NUMBER: "the other side does not use TLS",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the other side does not use TLS",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "the other side does not accept our certificate",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "the other side does not accept our certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    "the other side does not accept our certificate, which has expired",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "the other side does not accept our certificate",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "the other side has only an old version of TLS",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "the other side has only an old version of TLS",
};

/** Why a certificate was refused, or a handshake failed. */
export function certificateErrorText(thrown: unknown): string {
  const { code, message } = thrown as NodeJS.ErrnoException;
  return (
    meanings[code ?? ""] ??
    (code?.startsWith("ERR_SSL") ? `TLS failed (${message})` : systemErrorText(thrown))
  );
}

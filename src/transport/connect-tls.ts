import { once } from "node:events";
import { isIP } from "node:net";
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { TremplinError } from "../base/tremplin-error.ts";
import { type Address, formatAddress, type TcpAddress } from "./address.ts";
import { certificateErrorText } from "./certificate-error.ts";
import { type Role, roleText, roleUri } from "./role.ts";
import { certifiedCaller, reasonToRefuse, type Tls } from "./tls.ts";

/**
 * Connects with mutual TLS, and checks who answers: a certificate with a role must have the expected one, wherever it is
 * used; one without a role must be for the address. The connection is closed when that certificate is revoked. Throws
 * `unavailable` with the reason.
 */
export async function connectTls(
  address: TcpAddress,
  tls: Tls,
  expected: Role | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { host, port } = address;
  const { cert, key, ca } = tls;
  const socket = connect({
    ...{ host, port, cert, key, ca, ALPNProtocols: ["h2"] },
    ...(isIP(host) === 0 && { servername: host }),
    checkServerIdentity: (name, certificate) => checkServer(name, certificate, tls, expected),
  });
  try {
    await once(socket, "secureConnect", { signal });
    closeWhenRevoked(socket, tls);
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    const reason = certificateErrorText(error);
    throw new TremplinError(
      "unavailable",
      `cannot connect to ${formatAddress(address)} with TLS: ${reason}`,
      error,
    );
  }
}

function closeWhenRevoked(socket: TLSSocket, tls: Tls): void {
  const owner = certifiedCaller(socket.getPeerCertificate(), tls);
  const check = (): void => {
    if (reasonToRefuse(owner, tls) !== undefined) socket.destroy();
  };
  const watching = tls.revoked?.watch(check);
  socket.once("close", () => watching?.[Symbol.dispose]());
  // The handshake may have been before a revocation, and the watch after it.
  check();
}

/** For a server that closes the connection after the handshake, which is how it refuses a certificate. */
export function closedAfterHandshake(address: Address): TremplinError {
  return new TremplinError(
    "unavailable",
    `${formatAddress(address)} closed the connection at once: it does not accept the certificate of --tls-cert, which must be valid and signed by the authority that is trusted there; the log there has the reason`,
  );
}

function checkServer(
  name: string,
  certificate: PeerCertificate,
  tls: Tls,
  expected: Role | undefined,
): Error | undefined {
  const owner = certifiedCaller(certificate, tls);
  const refused = reasonToRefuse(owner, tls);
  if (refused !== undefined) return new TremplinError("unavailable", refused);
  if (owner.isPeer) return undefined;
  if (!owner.role || !expected) return checkServerIdentity(name, certificate);
  if (roleUri(owner.role) === roleUri(expected)) return undefined;
  const sentence = `the certificate there is of ${roleText(owner.role)}, not of ${roleText(expected)}`;
  return new TremplinError("unavailable", sentence);
}

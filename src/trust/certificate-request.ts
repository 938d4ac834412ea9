import { isIP } from "node:net";
import { TremplinError } from "../base/tremplin-error.ts";
import { type Role, roleText, roleUri } from "../transport/role.ts";

/** The configuration of openssl for an authority that signs certificates and nothing else. */
export function authorityConfig(): string {
  return config("tremplin", [
    "basicConstraints = critical, CA:TRUE, pathlen:0",
    "keyUsage = critical, keyCertSign",
    "subjectKeyIdentifier = hash",
  ]);
}

/**
 * The same for a certificate with a role. `addresses`: host names and IP addresses for clients that check those; ours
 * check the role. Throws `invalid` for what is neither.
 */
export function certificateConfig(role: Role, addresses: readonly string[]): string {
  return config(roleText(role), [
    "basicConstraints = critical, CA:FALSE",
    "keyUsage = critical, digitalSignature",
    "extendedKeyUsage = serverAuth, clientAuth",
    `subjectAltName = ${[`URI:${roleUri(role)}`, ...addresses.map(alternativeName)].join(", ")}`,
  ]);
}

function alternativeName(address: string): string {
  if (isIP(address)) return `IP:${address}`;
  if (/^(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*$/.test(address) && address.length <= 253)
    return `DNS:${address}`;
  throw new TremplinError("invalid", `"${address}" is neither a host name nor an IP address`);
}

function config(commonName: string, extensions: readonly string[]): string {
  const lines = ["[req]", "distinguished_name = name", "prompt = no", "x509_extensions = extensions"];
  return [...lines, "[name]", `CN = ${commonName}`, "[extensions]", ...extensions, ""].join("\n");
}

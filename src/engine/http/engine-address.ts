/** The address of an engine: its unix socket, or its HTTPS API with a client certificate (PEM). */
export type EngineAddress =
  | { readonly kind: "unix"; readonly path: string }
  | {
      readonly kind: "https";
      readonly host: string;
      readonly port: number;
      readonly cert: string;
      readonly key: string;
      /** Trusted authorities, or the engine's self-signed certificate. Default: the authorities of the system. */
      readonly ca?: string;
    };

/** The address for people: the path of the socket, or the URL. */
export function formatEngineAddress(address: EngineAddress): string {
  return address.kind === "unix" ? address.path : `https://${address.host}:${address.port}`;
}

/** The TLS options of Node for an HTTPS engine. */
export function tlsOf(address: EngineAddress & { kind: "https" }): {
  cert: string;
  key: string;
  ca?: string;
} {
  const { cert, key, ca } = address;
  return ca === undefined ? { cert, key } : { cert, key, ca };
}

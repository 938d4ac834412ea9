import { type Command, Option } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { readTls, type Tls } from "../../transport/tls.ts";
import { readToken } from "../../transport/token.ts";

/** The default address of the host. */
export const DEFAULT_HOST = "unix:/run/tremplin/host.sock";

/** The flags of every command that uses the host. */
export interface HostFlags extends TlsFlags, TokenFlags {
  readonly host: string;
  readonly guest?: string;
  readonly json?: true;
}

/** What --json prints. */
const jsonTexts = {
  document: "print one JSON document",
  events: "print one JSON line for each event",
  operation: "print one JSON line for each event, then one JSON document",
};

/**
 * Adds the flags of the host. `json` is what the command prints with --json; `none`: it accepts and ignores the flag.
 * `about`: what the command asks. One that is about the host itself accepts and ignores --guest.
 */
export function withHostFlags(
  command: Command,
  json: keyof typeof jsonTexts | "none" = "document",
  about: "guest" | "host" = "guest",
): Command {
  command
    .addOption(
      new Option("--host <addr>", "the address of the host").env("TREMPLIN_HOST").default(DEFAULT_HOST),
    )
    .addOption(new Option("--guest <name>", "the guest, if the host has several").hideHelp(about === "host"));
  if (json === "none") command.addOption(new Option("--json").hideHelp());
  else command.option("--json", jsonTexts[json]);
  command.addOption(
    new Option("--token-file <file>", "the token of the host, for a TCP address without TLS").env(
      "TREMPLIN_TOKEN_FILE",
    ),
  );
  return withTlsFlags(command);
}

export interface TlsFlags {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly tlsPeer?: string;
  readonly tlsRevoked?: string;
}

export function withTlsFlags(command: Command): Command {
  return command
    .option("--tls-cert <file>", "the certificate (PEM) for TCP addresses (tremplin trust makes it)")
    .option("--tls-key <file>", "the key of that certificate")
    .option("--tls-ca <file>", "the authority that signed the peer's certificate")
    .option("--tls-peer <file>", "the certificate of the other side, if it is the only one and has no role")
    .option(
      "--tls-revoked <file>",
      "the serial numbers that are not accepted (default: revoked in the folder of --tls-ca)",
    );
}

export function tlsOf({ tlsCert, tlsKey, tlsCa, tlsPeer, tlsRevoked }: TlsFlags): Tls | undefined {
  return readTls({ cert: tlsCert, key: tlsKey, ca: tlsCa, peer: tlsPeer, revoked: tlsRevoked });
}

export interface TokenFlags {
  readonly tokenFile?: string;
}

/** The token in the file; undefined without one. Throws `invalid` for a file that others can access. */
export function tokenOf({ tokenFile }: TokenFlags): string | undefined {
  return tokenFile === undefined ? undefined : readToken(tokenFile);
}

/** Collects the values of a flag that may be repeated. */
export function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

/** Parses a flag's value. Throws `invalid`. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new TremplinError("invalid", `"${text}" is not a whole number`);
}

import { type Command, Option } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { readTls, type Tls } from "../../transport/tls.ts";

/** Where the host is when nothing is said. */
export const DEFAULT_HOST = "unix:/run/tremplin/host.sock";

/** What every command that talks to the host understands. */
export interface HostFlags {
  readonly host: string;
  readonly guest?: string;
  readonly json?: true;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
}

export function withHostFlags(command: Command): Command {
  command
    .addOption(new Option("--host <addr>", "where the host is").env("TREMPLIN_HOST").default(DEFAULT_HOST))
    .option("--guest <name>", "which guest, when the host has several")
    .option("--json", "one JSON document, or one JSON line for each step, for programs");
  return withTlsFlags(command);
}

export interface TlsFlags {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
}

export function withTlsFlags(command: Command): Command {
  return command
    .option("--tls-cert <file>", "own certificate (PEM), for an address beyond this machine")
    .option("--tls-key <file>", "its key")
    .option("--tls-ca <file>", "the authority that signed the other side's certificate");
}

export function tlsOf({ tlsCert, tlsKey, tlsCa }: TlsFlags): Tls | undefined {
  return readTls({
    ...(tlsCert ? { cert: tlsCert } : {}),
    ...(tlsKey ? { key: tlsKey } : {}),
    ...(tlsCa ? { ca: tlsCa } : {}),
  });
}

/** Collects the values of a flag that may be repeated. */
export function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

/** Reads a number that a person typed. Throws `invalid`. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new TremplinError("invalid", `"${text}" is not a whole number`);
}

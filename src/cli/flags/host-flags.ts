import { type Command, Option } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { readTls, type Tls } from "../../transport/tls.ts";

/** The default address of the host. */
export const DEFAULT_HOST = "unix:/run/tremplin/host.sock";

/** The flags of every command that uses the host. */
export interface HostFlags {
  readonly host: string;
  readonly guest?: string;
  readonly json?: true;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
}

/** What --json prints. */
const jsonTexts = {
  document: "print one JSON document",
  events: "print one JSON line for each event",
  operation: "print one JSON line for each event, then one JSON document",
};

/** Adds the flags of the host. `json` is what the command prints with --json; `none`: it accepts and ignores the flag. */
export function withHostFlags(command: Command, json: keyof typeof jsonTexts | "none" = "document"): Command {
  command
    .addOption(
      new Option("--host <addr>", "the address of the host").env("TREMPLIN_HOST").default(DEFAULT_HOST),
    )
    .option("--guest <name>", "the guest, if the host has several");
  if (json === "none") command.addOption(new Option("--json").hideHelp());
  else command.option("--json", jsonTexts[json]);
  return withTlsFlags(command);
}

export interface TlsFlags {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
}

export function withTlsFlags(command: Command): Command {
  return command
    .option("--tls-cert <file>", "the certificate (PEM) for non-local TCP addresses")
    .option("--tls-key <file>", "the key of that certificate")
    .option("--tls-ca <file>", "the authority that signed the peer's certificate");
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

/** Parses a flag's value. Throws `invalid`. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new TremplinError("invalid", `"${text}" is not a whole number`);
}

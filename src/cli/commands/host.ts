import { Command } from "commander";
import { type HostOptions, hostDefaults, parseGuest } from "../../host/options.ts";
import { retentionDefaults } from "../../host/store/retention.ts";
import { parseAddress } from "../../transport/address.ts";
import { exitCode } from "../exit-code.ts";
import { collect, type TlsFlags, tlsOf, wholeNumber, withTlsFlags } from "../flags/host-flags.ts";
import { duration } from "../flags/since.ts";

const MIB = 1024 * 1024;

interface Flags extends TlsFlags {
  readonly listen?: readonly string[];
  readonly guest: readonly string[];
  readonly state: string;
  readonly keepEvents: number;
  readonly keepMib: number;
  readonly logLevel: string;
}

export function hostCommand(): Command {
  const command = new Command("host")
    .option(
      "--listen <addr>",
      `the address to listen on; may be repeated (default: ${hostDefaults.listen.join(" and ")})`,
      collect,
    )
    .requiredOption("--guest <name=addr>", "the name and address of a guest; may be repeated", collect)
    .option("--state <dir>", "the folder for the event log", hostDefaults.state)
    .option(
      "--keep-events <duration>",
      "how long events are kept: 12h, 30d",
      duration,
      retentionDefaults.maxAge,
    )
    .option(
      "--keep-mib <number>",
      "how many MiB of events are kept",
      wholeNumber,
      retentionDefaults.maxBytes / MIB,
    )
    .option("--log-level <level>", "trace, debug, info, warn, error or silent", hostDefaults.logLevel);
  return withTlsFlags(command).action(async (flags: Flags) => {
    const options = hostOptions(flags);
    const { runHost } = await import("../../host/main.ts");
    await runHost(options);
    // All work is done: what a library still waits for must not delay the end.
    process.exit(exitCode.done);
  });
}

/** Reads the flags. Throws `invalid` with what is wrong. */
export function hostOptions(flags: Flags): HostOptions {
  return {
    listen: (flags.listen ?? hostDefaults.listen).map(parseAddress),
    guests: flags.guest.map(parseGuest),
    state: flags.state,
    retention: { maxAge: flags.keepEvents, maxBytes: flags.keepMib * MIB },
    tls: tlsOf(flags),
    logLevel: flags.logLevel,
  };
}

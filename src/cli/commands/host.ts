import { join } from "node:path";
import { Command, Option } from "commander";
import { parseSize } from "../../base/size.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { version } from "../../daemon/version.ts";
import { parseConsoleAddress } from "../../host/console/console-address.ts";
import {
  type ConsoleOptions,
  type GuestAddress,
  type HostOptions,
  hostDefaults,
  type ListenerAddress,
  parseGuest,
  parseListener,
  splitName,
} from "../../host/options.ts";
import { retentionDefaults } from "../../host/store/retention.ts";
import { parseAddress } from "../../transport/address.ts";
import { readToken } from "../../transport/token.ts";
import { exitCode } from "../exit-code.ts";
import {
  collect,
  type TlsFlags,
  type TokenFlags,
  tlsOf,
  tokenOf,
  wholeNumber,
  withTlsFlags,
} from "../flags/host-flags.ts";
import { metricsFlag, metricsOf } from "../flags/metrics-flag.ts";
import { duration } from "../flags/since.ts";

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3_600_000;

interface Flags extends TlsFlags, TokenFlags {
  readonly listen?: readonly string[];
  readonly listener?: readonly string[];
  readonly guest?: readonly string[];
  readonly guestToken?: readonly string[];
  readonly console?: string;
  readonly state: string;
  readonly keepEvents: number;
  readonly keepMib: number;
  readonly maxForwards?: number;
  readonly logLevel: string;
  readonly rotateLog?: readonly string[];
  readonly socketGroup?: string;
  readonly metrics?: string;
}

export function hostCommand(): Command {
  const command = new Command("host")
    .option(
      "--listen <addr>",
      `an address for people and programs; may be repeated (default: ${hostDefaults.listen})`,
      collect,
    )
    .option(
      "--listener <[name=]addr>",
      `an address for the notices of guests, or of one guest alone; may be repeated (default: ${hostDefaults.listener})`,
      collect,
    )
    .option(
      "--guest <name=addr>",
      "the name and address of a guest; may be repeated (tremplin guest adds others while the host runs)",
      collect,
    )
    .option("--token-file <file>", "the token that callers of a TCP address without TLS must present")
    .option(
      "--guest-token <name=file>",
      "the token that a guest and the host present to each other, for TCP addresses without TLS; may be repeated",
      collect,
    )
    .option(
      "--console <host:port>",
      `the address of the console, on this computer, or none (default: ${hostDefaults.console})`,
    )
    .option(
      "--state <dir>",
      "the folder for the event log and for the guests that were added",
      hostDefaults.state,
    )
    .addOption(
      new Option("--keep-events <duration>", "how long events are kept: 12h, 90d")
        .argParser(duration)
        .default(retentionDefaults.maxAge, `${retentionDefaults.maxAge / DAY_MS}d`),
    )
    .addOption(
      new Option("--keep-mib <size>", "how much of events is kept: 256 or 256MiB, 1G")
        .argParser((text) => parseSize(text, { what: "--keep-mib", least: MIB, bare: MIB }))
        .default(retentionDefaults.maxBytes, `${retentionDefaults.maxBytes / MIB}`),
    )
    .option(
      "--max-forwards <number>",
      "how many ports of each guest's containers are open on this computer at once; 0: none",
      numberOrNone,
      256,
    )
    .option(
      "--socket-group <group>",
      "a group whose members may connect to the Unix sockets of --listen: they become root by it",
    )
    .option(...metricsFlag)
    .option("--log-level <level>", "trace, debug, info, warn, error or silent", hostDefaults.logLevel)
    .option(
      "--rotate-log <file>",
      "a log to which this or another program appends, to be kept below 8 MiB; may be repeated",
      collect,
    );
  return withTlsFlags(command).action(async (flags: Flags) => {
    const options = hostOptions(flags);
    const { runHost } = await import("../../host/main.ts");
    await runHost(options);
    // All work is done: what a library still waits for must not delay the end.
    process.exit(exitCode.done);
  });
}

function numberOrNone(text: string): number {
  return text === "0" ? 0 : wholeNumber(text);
}

/** Reads the flags. Throws `invalid` with what is wrong. */
export function hostOptions(flags: Flags): HostOptions {
  const { listen = [hostDefaults.listen], state, logLevel } = flags;
  const addresses = listen.map(parseAddress);
  const isVsock = ({ kind }: { kind: string }): boolean => kind === "vsock";
  return {
    listen: addresses.filter((address) => !isVsock(address)),
    // Only guests connect by vsock, so an address of it has always been theirs.
    listeners: [...addresses.filter(isVsock).map((address) => ({ address })), ...listenersOf(flags)],
    guests: guestsOf(flags),
    state,
    retention: { maxAge: flags.keepEvents, maxBytes: flags.keepMib },
    tls: tlsOf(flags),
    maxForwards: flags.maxForwards,
    token: tokenOf(flags),
    console: consoleOf(flags),
    socketGroup: flags.socketGroup,
    version,
    metrics: metricsOf(flags),
    logLevel,
    rotatedLogs: flags.rotateLog,
  };
}

function consoleOf({ console }: Flags): ConsoleOptions | undefined {
  const address = parseConsoleAddress(console ?? hostDefaults.console);
  // Next to the folder of the program.
  const files = join(import.meta.dirname, "../console");
  return address && { address, files, isOptional: console === undefined };
}

/** The default listener belongs to the default address, so that no file appears in another place than the others. */
function listenersOf({ listen, listener }: Flags): ListenerAddress[] {
  if (listener) return listener.map(parseListener);
  if (listen === undefined) return [parseListener(hostDefaults.listener)];
  if (listen.some((address) => address.startsWith("vsock:"))) return [];
  throw new TremplinError(
    "invalid",
    "guests would have no address for their notices: add --listener ADDR (--listen is for people and programs)",
  );
}

function guestsOf({ guest = [], guestToken = [] }: Flags): GuestAddress[] {
  const guests = guest.map(parseGuest);
  const tokens = new Map(guestToken.map(readGuestToken));
  const unknown = [...tokens.keys()].find((name) => !guests.some((each) => each.name === name));
  if (unknown !== undefined) {
    throw new TremplinError("invalid", `--guest-token ${unknown} is for a guest that no --guest has`);
  }
  return guests.map((each) => ({ ...each, token: tokens.get(each.name) }));
}

function readGuestToken(text: string): [name: string, token: string] {
  const named = splitName(text);
  if (!named) throw new TremplinError("invalid", `"${text}" is not the token of a guest: use NAME=FILE`);
  return [named.name, readToken(named.value)];
}

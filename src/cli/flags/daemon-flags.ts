import { join } from "node:path";
import { type Command, Option } from "commander";
import { type LogTarget, logTargets } from "../../base/logger.ts";
import { type DaemonOptions, daemonDefaults } from "../../daemon/options.ts";
import { engineKinds } from "../../engine/flavors/flavors.ts";
import { parseAddress } from "../../transport/address.ts";
import { collect, type TlsFlags, type TokenFlags, tlsOf, tokenOf, wholeNumber } from "./host-flags.ts";
import { metricsFlag, metricsOf } from "./metrics-flag.ts";

/** The flags that `daemon` and `up` share. */
export interface EngineFlags {
  readonly state: string;
  readonly shared?: string;
  readonly site: string;
  readonly engine?: string;
  readonly engineCert?: string;
  readonly engineKey?: string;
  readonly engineCa?: string;
  readonly lxdSubnet?: string;
  readonly bridge: string;
  readonly logLevel: string;
}

export function withEngineFlags(command: Command): Command {
  return command
    .option("--state <dir>", "the folder for the engine and the journal", daemonDefaults.state)
    .option("--shared <dir>", "the folder for images, exports and imports (default: STATE/shared)")
    .option(
      "--site <name|file>",
      "the local paths, names and groups: generic, crostini or a YAML file",
      daemonDefaults.site,
    )
    .option(
      "--engine <engine>",
      `${engineKinds()}, unix:PATH or https://HOST:PORT (default: the installed one)`,
    )
    .option("--engine-cert <file>", "the client certificate (PEM) for a remote engine")
    .option("--engine-key <file>", "the key of that certificate")
    .option("--engine-ca <file>", "the certificate of the remote engine, or of its authority")
    .option(
      "--lxd-subnet <cidr>",
      "the address of the bridge with its prefix length (default: a free network)",
    )
    .option("--bridge <name>", "the network bridge for containers", daemonDefaults.bridge)
    .option("--log-level <level>", "trace, debug, info, warn, error or silent", daemonDefaults.logLevel);
}

export interface DaemonFlags extends EngineFlags, TlsFlags, TokenFlags {
  readonly listen?: readonly string[];
  readonly host: string;
  readonly vsockPeer?: readonly string[];
  readonly log: LogTarget;
  readonly metrics?: string;
  readonly rotateLog?: readonly string[];
  readonly feature?: readonly string[];
}

export function withDaemonFlags(command: Command): Command {
  return withEngineFlags(command)
    .option(
      "--listen <addr>",
      `the address to listen on; may be repeated (default: ${daemonDefaults.listen})`,
      collect,
    )
    .option("--host <addr>", "the address of the host to which the daemon sends notices", daemonDefaults.host)
    .option(
      "--vsock-peer <cid>",
      "a vsock context id that may connect; may be repeated (default: 2, the host)",
      collect,
    )
    .addOption(
      new Option("--log <where>", "where to write the log").choices(logTargets).default(daemonDefaults.log),
    )
    .option(
      "--token-file <file>",
      "the token that host and daemon present to each other, for TCP addresses without TLS",
    )
    .option(...metricsFlag)
    .option(
      "--rotate-log <file>",
      "a log to which this or another program appends, to be kept below 8 MiB; may be repeated",
      collect,
    )
    .option("--feature <name>", "accepted for compatibility, and ignored", collect);
}

/** Reads the flags. Throws `invalid` with what is wrong. */
export function daemonOptions(flags: DaemonFlags): DaemonOptions {
  const { state, site, engine, engineCert, engineKey, engineCa, lxdSubnet, bridge, logLevel } = flags;
  return {
    listen: (flags.listen ?? [daemonDefaults.listen]).map(parseAddress),
    host: parseAddress(flags.host),
    state,
    shared: flags.shared ?? join(state, "shared"),
    site,
    engine,
    engineCert,
    engineKey,
    engineCa,
    lxdSubnet,
    bridge,
    vsockPeers: flags.vsockPeer?.map(wholeNumber) ?? daemonDefaults.vsockPeers,
    tls: tlsOf(flags),
    token: tokenOf(flags),
    metrics: metricsOf(flags),
    log: flags.log,
    logLevel,
    rotatedLogs: flags.rotateLog,
  };
}

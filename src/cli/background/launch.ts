import { join, resolve } from "node:path";
import { backoff } from "../../base/async/backoff.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Host } from "../../contract/tremplin/v1/host_pb.js";
import { formatAddress } from "../../transport/address.ts";
import type { EngineFlags } from "../flags/daemon-flags.ts";
import type { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import type { BackgroundProcess } from "./background-process.ts";
import type { ProcessRecord } from "./process-record.ts";
import type { RunFolder } from "./run-folder.ts";

/** How long a program may take to answer after its start. */
const START_TIMEOUT_MS = 60_000;
const CALL_TIMEOUT_MS = 5_000;

/** The host's name for the guest on this computer. */
export const LOCAL_GUEST = "local";

/** What `tremplin up` can say of the programs. */
export interface ProgramFlags extends EngineFlags {
  readonly console?: string;
}

/** The host's command line. `group`: whose members may connect to it too. */
export function hostArguments(run: RunFolder, flags: ProgramFlags, group?: string): string[] {
  return [
    "host",
    ...["--listen", formatAddress(run.hostSocket)],
    ...["--listener", formatAddress(run.listenerSocket)],
    ...["--guest", `${LOCAL_GUEST}=${formatAddress(run.guestSocket)}`],
    ...["--state", join(resolve(flags.state), "host")],
    ...(group === undefined ? [] : ["--socket-group", group]),
    ...["--log-level", flags.logLevel, "--rotate-log", run.host.logFile],
    ...(flags.console === undefined ? [] : ["--console", flags.console]),
  ];
}

/** The daemon's command line. */
export function daemonArguments(run: RunFolder, flags: EngineFlags): string[] {
  const options: [flag: string, value: string | undefined][] = [
    ["--listen", formatAddress(run.guestSocket)],
    ["--host", formatAddress(run.listenerSocket)],
    ["--state", resolve(flags.state)],
    ["--shared", path(flags.shared)],
    ["--site", flags.site.includes("/") ? resolve(flags.site) : flags.site],
    ["--engine", flags.engine],
    ["--engine-cert", path(flags.engineCert)],
    ["--engine-key", path(flags.engineKey)],
    ["--engine-ca", path(flags.engineCa)],
    ["--lxd-subnet", flags.lxdSubnet],
    ["--bridge", flags.bridge],
    ["--log-level", flags.logLevel],
    ["--rotate-log", run.daemon.logFile],
  ];
  return ["daemon", ...options.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]))];
}

/** Programs in the background have another working folder. */
function path(text: string | undefined): string | undefined {
  return text === undefined ? undefined : resolve(text);
}

/** A background program that runs and answers. */
export interface EnsureResult {
  readonly name: string;
  readonly state: "started" | "ran already";
  /** Undefined where another program started it. */
  readonly record: ProcessRecord | undefined;
}

export interface EnsureOptions {
  readonly io: Io;
  /** How long it may take to answer. Default: 60 s. */
  readonly timeoutMs?: number;
  /** The command with which the user can continue after an interrupt. Default: tremplin up. */
  readonly command?: string;
}

/** Starts a program unless it runs, and waits until it answers. */
export async function ensureRunning(
  background: BackgroundProcess,
  program: readonly string[],
  args: readonly string[],
  answers: () => Promise<boolean>,
  { io, timeoutMs = START_TIMEOUT_MS, command = "tremplin up" }: EnsureOptions,
): Promise<EnsureResult> {
  const { name } = background;
  const earlier = await background.findRunning();
  if (await answers()) return { name, state: "ran already", record: earlier };
  const record = earlier ?? (await background.start(program, args));
  const deadline = io.clock.elapsed() + timeoutMs;
  for (const wait of backoff(20, 500)) {
    if (await answers()) return { name, state: record === earlier ? "ran already" : "started", record };
    await background.assertAlive(record);
    if (io.clock.elapsed() > deadline) break;
    await io.clock.sleep(wait, io.interrupted).catch(() => {
      throw new TremplinError(
        "cancelled",
        `the ${name} continues to start in the background; run ${command} again to finish`,
      );
    });
  }
  throw new TremplinError(
    "unavailable",
    `the ${name} (process ${record.pid}) is running but did not answer within ${timeoutMs / 1000} s; its log is ${background.logFile}`,
  );
}

/** Whether the host answers. */
export async function hostAnswers(api: HostApi): Promise<boolean> {
  return (await guestsOf(api)) !== undefined;
}

/** Whether the host reaches a guest. */
export async function guestAnswers(api: HostApi, guest = LOCAL_GUEST): Promise<boolean> {
  return (await guestsOf(api))?.some(({ name, reachable }) => name === guest && reachable) ?? false;
}

async function guestsOf(api: HostApi) {
  try {
    return (await api.call(Host.method.listGuests, {}, { timeout: CALL_TIMEOUT_MS })).guests;
  } catch (thrown) {
    if (thrown instanceof TremplinError && thrown.code === "unavailable") return undefined;
    throw thrown;
  }
}

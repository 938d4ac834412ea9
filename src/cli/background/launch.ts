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

/** How long a program may take to answer after its start. Milliseconds. */
const PATIENCE = 60_000;
const ASKING = 5_000;

/** The name under which the host knows the guest of this machine. */
export const LOCAL_GUEST = "local";

/** The host's command line. */
export function hostArguments(run: RunFolder, flags: EngineFlags): string[] {
  return [
    "host",
    ...["--listen", formatAddress(run.hostSocket)],
    ...["--listen", formatAddress(run.listenerSocket)],
    ...["--guest", `${LOCAL_GUEST}=${formatAddress(run.guestSocket)}`],
    ...["--state", join(resolve(flags.state), "host")],
    ...["--log-level", flags.logLevel],
  ];
}

/** The daemon's command line. */
export function daemonArguments(run: RunFolder, flags: EngineFlags): string[] {
  const given: [flag: string, value: string | undefined][] = [
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
  ];
  return ["daemon", ...given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]))];
}

/** Programs in the background have a working folder of their own. */
function path(given: string | undefined): string | undefined {
  return given === undefined ? undefined : resolve(given);
}

/** What became of a program that should run. */
export interface Ensured {
  readonly name: string;
  readonly state: "started" | "ran already";
  /** Undefined where it was not started by us. */
  readonly record: ProcessRecord | undefined;
}

export interface Starting {
  readonly io: Io;
  /** How long it may take to answer. Milliseconds; default 60 s. */
  readonly patience?: number;
  /** The command that goes on when this one is interrupted. Default `tremplin up`. */
  readonly command?: string;
}

/** Starts a program unless it answers or one of ours is about to, and waits until it answers. */
export async function ensure(
  part: BackgroundProcess,
  program: readonly string[],
  words: readonly string[],
  answers: () => Promise<boolean>,
  { io, patience = PATIENCE, command = "tremplin up" }: Starting,
): Promise<Ensured> {
  const { name } = part;
  const earlier = await part.living();
  if (await answers()) return { name, state: "ran already", record: earlier };
  const record = earlier ?? (await part.start(program, words));
  const deadline = io.clock.now() + patience;
  for (const wait of backoff(20, 500)) {
    if (await answers()) return { name, state: record === earlier ? "ran already" : "started", record };
    await part.mustLive(record);
    if (io.clock.now() > deadline) break;
    await io.clock.sleep(wait, io.interrupted).catch(() => {
      throw new TremplinError(
        "cancelled",
        `the ${name} goes on starting; ${command} does what is missing then`,
      );
    });
  }
  throw new TremplinError(
    "unavailable",
    `the ${name} (process ${record.pid}) runs but does not answer after ${patience / 1000} s; its log is ${part.logFile}`,
  );
}

/** Whether the host answers. */
export async function hostAnswers(api: HostApi): Promise<boolean> {
  return (await guestsOf(api)) !== undefined;
}

/** Whether a guest answers, as the host sees it. */
export async function guestAnswers(api: HostApi, guest = LOCAL_GUEST): Promise<boolean> {
  return (await guestsOf(api))?.some(({ name, reachable }) => name === guest && reachable) ?? false;
}

async function guestsOf(api: HostApi) {
  try {
    return (await api.call(Host.method.listGuests, {}, { timeout: ASKING })).guests;
  } catch (thrown) {
    if (thrown instanceof TremplinError && thrown.code === "unavailable") return undefined;
    throw thrown;
  }
}

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { narrowTableText, tableText } from "../../base/table.ts";
import { bytesText, jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type Container, Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { type HostFlags, wholeNumber, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly interval: number;
  readonly once?: true;
}

/** What a container uses. Undefined where it cannot be measured. */
interface Usage {
  readonly container: string;
  /** Of one processor, over the interval. */
  readonly cpuPercent: number | undefined;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number | undefined;
  readonly processes: number;
  readonly receivedBytesPerSecond: number | undefined;
  readonly sentBytesPerSecond: number | undefined;
  readonly diskBytes: number | undefined;
}

/** Clears a terminal from its upper left corner on. */
const CLEAR = "\u001b[H\u001b[J";

export function topCommand(io: Io): Command {
  const command = new Command("top")
    .option("--interval <seconds>", "how often, from 1 to 3600", seconds, 2)
    .option("--once", "measure for one interval, print that, and end (default without a terminal)");
  return withHostFlags(command).action((flags: Flags) => top(flags, io));
}

function seconds(text: string): number {
  const count = wholeNumber(text);
  if (count >= 1 && count <= 3600) return count;
  throw new TremplinError("invalid", `an interval has 1 to 3600 seconds, not ${text}`);
}

async function top({ interval, once, ...flags }: Flags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const isLive = !once && !flags.json && io.terminal !== undefined;
  let before = await measure(api, io);
  for (;;) {
    try {
      await io.clock.sleep(interval * 1000, io.interrupted);
    } catch (error) {
      if (isLive && io.interrupted.aborted) return;
      throw error;
    }
    const now = await measure(api, io);
    const usages = usagesOf(before, now);
    if (flags.json) io.out(jsonLine({ containers: usages }));
    else if (usages.length > 0 || isLive) io.out(`${isLive ? CLEAR : ""}${tableOf(usages, io, isLive)}`);
    else io.err("no container runs\n");
    if (!isLive) return;
    before = now;
  }
}

async function measure(api: HostApi, { interrupted }: Io): Promise<readonly Container[]> {
  const settings = { signal: interrupted, timeout: 30_000 };
  return (await api.call(Guest.method.listContainers, {}, settings)).containers;
}

/** The busiest first. */
function usagesOf(before: readonly Container[], now: readonly Container[]): Usage[] {
  const earlier = new Map(before.map((each) => [each.name, each]));
  return now
    .flatMap((each) => usageOf(earlier.get(each.name), each))
    .sort((a, b) => (b.cpuPercent ?? 0) - (a.cpuPercent ?? 0) || b.memoryBytes - a.memoryBytes);
}

function usageOf(before: Container | undefined, { name, usage }: Container): Usage[] {
  if (!usage) return [];
  const last = before?.usage;
  const elapsed = milliseconds(usage.measuredAt) - milliseconds(last?.measuredAt);
  /** A count that went down was begun again by a start. */
  const perSecond = (from: bigint | undefined, to: bigint): number | undefined =>
    from === undefined || to < from || elapsed <= 0 ? undefined : (Number(to - from) * 1000) / elapsed;
  const cpu = perSecond(last?.cpuNanoseconds, usage.cpuNanoseconds);
  return [
    {
      container: name,
      cpuPercent: cpu === undefined ? undefined : Math.round(cpu / 1e6) / 10,
      memoryBytes: Number(usage.memoryBytes),
      memoryLimitBytes: Number(usage.memoryLimitBytes) || undefined,
      processes: usage.processes,
      receivedBytesPerSecond: perSecond(last?.receivedBytes, usage.receivedBytes),
      sentBytesPerSecond: perSecond(last?.sentBytes, usage.sentBytes),
      diskBytes: Number(usage.diskBytes) || undefined,
    },
  ];
}

function milliseconds(time: Parameters<typeof timestampMs>[0] | undefined): number {
  return time ? timestampMs(time) : 0;
}

function tableOf(usages: readonly Usage[], io: Io, isLive: boolean): string {
  const head = ["CONTAINER", "CPU", "MEMORY", "LIMIT", "PROCESSES", "IN/S", "OUT/S", "DISK"];
  const size = (bytes: number | undefined): string =>
    bytes === undefined ? "-" : bytesText(Math.round(bytes));
  const rows = usages.map((each) => [
    plainText(each.container),
    each.cpuPercent === undefined ? "-" : `${each.cpuPercent.toFixed(1)} %`,
    size(each.memoryBytes),
    size(each.memoryLimitBytes),
    String(each.processes),
    size(each.receivedBytesPerSecond),
    size(each.sentBytesPerSecond),
    size(each.diskBytes),
  ]);
  // What does not fit would move the beginning out of sight.
  if (isLive && io.terminal)
    return narrowTableText([head, ...rows.slice(0, io.terminal.rows - 2)], io.columns ?? 80);
  return tableText([head, ...rows], io.columns);
}

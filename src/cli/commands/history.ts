import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { tableText } from "../../base/table.ts";
import { durationText, jsonLine, plainText } from "../../base/text.ts";
import {
  Host,
  ListOperationsResponseSchema,
  type OperationInfo,
  OperationInfo_State as State,
} from "../../contract/tremplin/v1/host_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, wholeNumber, withHostFlags } from "../flags/host-flags.ts";
import { since } from "../flags/since.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import { localTime } from "../text/local-time.ts";

interface Flags extends HostFlags {
  readonly since?: string;
  readonly running?: true;
  readonly limit: number;
}

export function historyCommand(io: Io): Command {
  const command = new Command("history")
    .argument("[name]", "the container; without it all containers", containerName)
    .option("--since <time>", "only operations since then: 1h, 2d, 2026-11-30")
    .option("--running", "only operations that have not ended")
    .option("--limit <number>", "the newest so many", wholeNumber, 50);
  return withHostFlags(command).action((name: string | undefined, flags: Flags) => history(name, flags, io));
}

async function history(name: string | undefined, flags: Flags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const request = {
    guest: flags.guest ?? "",
    containerName: name ?? "",
    underWay: flags.running ?? false,
    limit: flags.limit,
    ...(flags.since !== undefined && { since: timestampFromMs(since(flags.since, io.clock.now())) }),
  };
  const answer = await api.call(Host.method.listOperations, request, { signal: io.interrupted });
  if (flags.json) {
    io.out(jsonLine(toJson(ListOperationsResponseSchema, answer, { alwaysEmitImplicit: true })));
    return;
  }
  if (answer.operations.length === 0) {
    io.err(
      `the host knows no operation${name === undefined ? "" : ` of ${name}`}${flags.since ? " since then" : ""}\n`,
    );
    return;
  }
  const guests = new Set(answer.operations.map(({ guest }) => guest));
  const rows = answer.operations.map((operation) => row(operation, guests.size > 1));
  io.out(
    tableText(
      [[...(guests.size > 1 ? ["GUEST"] : []), "BEGUN", "TOOK", "CONTAINER", "WHAT HAPPENED"], ...rows],
      io.columns,
    ),
  );
}

function row(
  { guest, containerName, kind, begun, updated, ended, state, text, percent }: OperationInfo,
  withGuest: boolean,
) {
  const took = durationText(milliseconds(ended ?? updated) - milliseconds(begun));
  const share = state === State.UNDER_WAY && percent !== undefined ? ` (${percent} %)` : "";
  return [
    ...(withGuest ? [plainText(guest)] : []),
    begun ? localTime(timestampDate(begun)) : "-",
    state === State.UNDER_WAY ? `${took} so far` : took,
    plainText(containerName) || "-",
    `${resultText(kind, plainText(text))}${share}`,
  ];
}

/** Copies and renames report by the notices of a creation, which are the same for all three. */
function resultText(kind: string, text: string): string {
  if (kind !== "create") return text;
  return text
    .replace(/^created\b/, "created, copied or renamed")
    .replace(/^creating\b/, "creating, copying or renaming")
    .replace(/^fetching the image\b/, "fetching the image, or copying");
}

function milliseconds(time: Timestamp | undefined): number {
  return time ? timestampMs(time) : 0;
}

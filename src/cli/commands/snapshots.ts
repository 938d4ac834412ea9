import { toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { tableText } from "../../base/table.ts";
import { jsonLine, plainText } from "../../base/text.ts";
import {
  Guest,
  ListSnapshotsResponseSchema,
  Snapshot_Owner as Owner,
  type Snapshot,
} from "../../contract/tremplin/v1/guest_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import { localTime } from "../text/local-time.ts";

export function snapshotsCommand(io: Io): Command {
  const command = new Command("snapshots").argument("[name]", "the container (default: all)");
  return withHostFlags(command).action((name: string | undefined, flags: HostFlags) =>
    list(name ?? "", flags, io),
  );
}

async function list(containerName: string, flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const settings = { signal: io.interrupted, timeout: 30_000 };
  const answer = await api.call(Guest.method.listSnapshots, { containerName }, settings);
  if (flags.json) {
    io.out(jsonLine(toJson(ListSnapshotsResponseSchema, answer, { alwaysEmitImplicit: true })));
    return;
  }
  if (answer.snapshots.length === 0) {
    const whose = containerName || "no container";
    io.err(
      containerName
        ? `${whose} has no snapshot; tremplin snapshot ${whose} takes one\n`
        : "no container has a snapshot; tremplin snapshot NAME takes one\n",
    );
    return;
  }
  io.out(
    tableText(
      [["CONTAINER", "SNAPSHOT", "TAKEN", "EXPIRES", "OF"], ...answer.snapshots.map(row)],
      io.columns,
    ),
  );
}

function row({ containerName, name, createdAt, expiresAt, owner }: Snapshot): string[] {
  return [
    plainText(containerName),
    plainText(name),
    createdAt ? localTime(timestampDate(createdAt)) : "-",
    expiresAt ? localTime(timestampDate(expiresAt)) : "never",
    owners[owner] ?? "-",
  ];
}

/** Whose it is: only a person's can be restored and deleted by name. */
const owners: Readonly<Partial<Record<Owner, string>>> = {
  [Owner.PERSON]: "you",
  [Owner.UPGRADE]: "upgrade (rollback)",
  [Owner.OPERATION]: "an operation",
};

import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { findSnapshot } from "../host-client/check-exists.ts";
import { HostApi } from "../host-client/host-api.ts";
import { withResult } from "../host-client/operation-result.ts";
import { runAndReport } from "../host-client/session.ts";
import type { Io } from "../io.ts";
import { localTime } from "../text/local-time.ts";
import { confirm } from "./confirm.ts";

interface Flags extends HostFlags {
  readonly yes?: true;
}

export function restoreCommand(io: Io): Command {
  const command = new Command("restore")
    .argument("<name>", "the container; a running one is killed, and started again", containerName)
    .argument("<snapshot>", "the snapshot to return to")
    .option("--yes", "do not ask for confirmation");
  return withHostFlags(command, "operation").action((name: string, snapshot: string, flags: Flags) =>
    restore(name, snapshot, flags, io),
  );
}

async function restore(container: string, snapshotName: string, flags: Flags, io: Io): Promise<void> {
  if (!flags.yes) {
    const question = await questionFor(container, snapshotName, flags, io);
    await confirm(container, { verb: "restore", participle: "restored", question }, io);
  }
  const spec = withResult(`returned to snapshot ${snapshotName}`, {
    title: `returning ${container} to ${snapshotName}`,
    kind: "upgrade",
    container,
    request: async (api, settings) => {
      await api.call(Guest.method.restoreSnapshot, { containerName: container, snapshotName }, settings);
      return { kind: "accepted" };
    },
  });
  await runAndReport(spec, flags, io);
}

/** Says what will be lost. */
async function questionFor(
  containerName: string,
  snapshotName: string,
  flags: Flags,
  io: Io,
): Promise<string> {
  using api = HostApi.open(flags);
  const settings = { signal: io.interrupted, timeout: 30_000 };
  const found = await findSnapshot(api, containerName, snapshotName, io.interrupted);
  const { containers } = await api.call(Guest.method.listContainers, {}, settings);
  const isRunning = containers.some(({ name, state }) => name === containerName && state === "running");
  const taken = found.createdAt ? ` of ${localTime(timestampDate(found.createdAt))}` : "";
  return [
    `Return ${containerName} to its snapshot ${snapshotName}${taken}?`,
    "All files that were written or changed since then are lost, and its settings since then too; its snapshots stay.",
    ...(isRunning ? ["It runs: its programs are killed at once, and it is started again."] : []),
  ].join(" ");
}

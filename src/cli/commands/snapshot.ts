import { Command } from "commander";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { duration } from "../flags/since.ts";
import { cancelOperation, withResult } from "../host-client/operation-result.ts";
import type { OperationSpec } from "../host-client/run-operation.ts";
import { runOperation } from "../host-client/run-operation.ts";
import { reportResult, withSession } from "../host-client/session.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly expires?: number;
}

export function snapshotCommand(io: Io): Command {
  const command = new Command("snapshot")
    .argument("<name>", "the container, running or not", containerName)
    .argument("[snapshot]", "the name of the snapshot (default: the first free one of snap0, snap1 ...)")
    .option("--expires <duration>", "delete it by itself after that time: 12h, 7d, 4w", duration);
  return withHostFlags(command, "operation").action(
    (name: string, snapshot: string | undefined, flags: Flags) => snapshotOf(name, snapshot ?? "", flags, io),
  );
}

async function snapshotOf(container: string, wanted: string, flags: Flags, io: Io): Promise<void> {
  let snapshotName = wanted;
  const title = `taking a snapshot of ${container}`;
  const spec: OperationSpec = withResult("snapshot taken", {
    title,
    kind: "upgrade",
    container,
    request: async (api, settings) => {
      const lifetimeSeconds = BigInt(Math.ceil((flags.expires ?? 0) / 1000));
      const request = { containerName: container, snapshotName, lifetimeSeconds };
      ({ snapshotName } = await api.call(Guest.method.createSnapshot, request, settings));
      return { kind: "accepted" };
    },
    cancel: cancelOperation(container),
  });
  const outcome = await withSession(title, flags, io, (session) => runOperation(session, spec));
  reportResult(container, { ...outcome, text: `snapshot ${snapshotName} taken` }, flags, io);
}

import { plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest, type Snapshot } from "../../contract/tremplin/v1/guest_pb.js";
import { GetContainerInfoResponse_Status as Status, Tremplin } from "../../contract/tremplin_pb.js";
import type { HostApi } from "./host-api.ts";

const TIMEOUT_MS = 30_000;

/** Before a person is asked about a container: throws `not-found` where the guest says that there is none. */
export async function checkContainerExists(
  api: HostApi,
  containerName: string,
  signal: AbortSignal,
): Promise<void> {
  const settings = { signal, timeout: TIMEOUT_MS };
  const { status } = await api.call(Tremplin.method.getContainerInfo, { containerName }, settings);
  if (status !== Status.NOT_FOUND) return;
  throw new TremplinError("not-found", `there is no container ${containerName}; tremplin list shows all`);
}

/** A snapshot of a container. Throws `not-found`. */
export async function findSnapshot(
  api: HostApi,
  containerName: string,
  snapshotName: string,
  signal: AbortSignal,
): Promise<Snapshot> {
  const settings = { signal, timeout: TIMEOUT_MS };
  const { snapshots } = await api.call(Guest.method.listSnapshots, { containerName }, settings);
  const found = snapshots.find(({ name }) => name === snapshotName);
  if (found) return found;
  const sentence = `there is no snapshot ${plainText(snapshotName)} of ${containerName}; tremplin snapshots ${containerName} lists them`;
  throw new TremplinError("not-found", sentence);
}

import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import type { HostFlags } from "../flags/host-flags.ts";
import { findSnapshot } from "../host-client/check-exists.ts";
import { HostApi } from "../host-client/host-api.ts";
import { reportResult, withSession } from "../host-client/session.ts";
import type { Io } from "../io.ts";
import { confirm } from "./confirm.ts";

/** Storage that keeps full copies needs time to delete one. */
const TIMEOUT_MS = 600_000;

/** Deletes a snapshot, written as NAME/SNAPSHOT, after a confirmation. */
export async function deleteSnapshot(
  path: string,
  flags: HostFlags & { readonly yes?: true },
  io: Io,
): Promise<void> {
  const [containerName = "", snapshotName = "", ...more] = path.split("/");
  if (containerName === "" || snapshotName === "" || more.length > 0) {
    throw new TremplinError("invalid", `"${path}" is neither a container nor NAME/SNAPSHOT`);
  }
  const question = `Delete the snapshot ${snapshotName} of ${containerName}?`;
  if (!flags.yes) {
    using api = HostApi.open(flags);
    await findSnapshot(api, containerName, snapshotName, io.interrupted);
    await confirm(path, { verb: "delete", participle: "deleted", question }, io);
  }
  const settings = { signal: io.interrupted, timeout: TIMEOUT_MS };
  await withSession(`deleting ${path}`, flags, io, ({ api }) =>
    api.call(Guest.method.deleteSnapshot, { containerName, snapshotName }, settings),
  );
  reportResult(containerName, { text: `snapshot ${snapshotName} deleted` }, flags, io);
}

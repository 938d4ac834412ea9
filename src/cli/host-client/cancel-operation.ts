import { TremplinError } from "../../base/tremplin-error.ts";
import type { HostFlags } from "../flags/host-flags.ts";
import type { Io } from "../io.ts";
import type { CallSettings, HostApi } from "./host-api.ts";
import { refusalError } from "./refusal-error.ts";
import { reportResult, withSession } from "./session.ts";

/** Cancels an export or an import that another command began. `request`: whether the guest had one to cancel. */
export async function cancelOperation(
  kind: "export" | "import",
  container: string,
  flags: HostFlags,
  io: Io,
  request: (api: HostApi, settings: CallSettings) => Promise<boolean>,
): Promise<void> {
  const title = `cancelling the ${kind} of ${container}`;
  await withSession(title, flags, io, async ({ api }) => {
    if (await request(api, { signal: io.interrupted, timeout: 60_000 })) return;
    const nothing = `no ${kind} of ${container} is running; nothing was changed`;
    const error = await refusalError(api, title, container, nothing, kind === "export");
    throw error.code === "busy" ? new TremplinError("failed", error.message) : error;
  });
  reportResult(container, { text: `the ${kind} is being cancelled` }, flags, io);
}

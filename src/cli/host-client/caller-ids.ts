import { type AccountIds, sudoCaller } from "../../base/processes/sudo-caller.ts";
import { parseAddress } from "../../transport/address.ts";

const ROOT = 0;

export interface CallerIds {
  /** The account of the person at this command, also under sudo; undefined for root, and where the host is elsewhere. */
  readonly caller: AccountIds | undefined;
  /** Whether the host, and what is known of its guest, is on this computer: paths and ids mean the same there. */
  readonly isSameMachine: boolean;
}

/** Who types the command, as a guest on this computer knows them. */
export function callerIds(
  { host }: { readonly host: string },
  { env, getuid, getgid }: Pick<NodeJS.Process, "env" | "getuid" | "getgid"> = process,
): CallerIds {
  if (parseAddress(host).kind !== "unix") return { caller: undefined, isSameMachine: false };
  const uid = getuid?.() ?? ROOT;
  const ids =
    uid === ROOT
      ? (sudoCaller({ env, getuid: () => uid }) ?? { uid: ROOT, gid: ROOT })
      : { uid, gid: getgid?.() ?? ROOT };
  const isPerson = [ids.uid, ids.gid].every((id) => Number.isInteger(id) && id > ROOT && id < 2 ** 32 - 1);
  return { caller: isPerson ? ids : undefined, isSameMachine: true };
}

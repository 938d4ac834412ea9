import { TremplinError } from "../../base/tremplin-error.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { parseIdMap, toHostId } from "../guest/id-map.ts";
import type { Ids } from "./share-records.ts";

const ROOT = 0;

interface Wanted {
  readonly source: string;
  readonly opened: Ids;
  readonly caller: Ids | undefined;
  readonly readOnly: boolean;
}

interface Owner {
  /** Undefined: nobody. */
  readonly owner: Ids | undefined;
  readonly notes: string[];
}

/**
 * Whose files on the machine are the person's in the container: those of the caller, or, where that is root or nobody
 * knows, of the owner of the folder. Never root's: the container could make set-uid programs of root.
 */
export function chooseOwner({ source, opened, caller, readOnly }: Wanted): Owner {
  const owner = [caller, opened].find((each) => each !== undefined && each.uid !== ROOT && each.gid !== ROOT);
  if (owner) {
    const { uid, gid } = owner;
    const isOthers = opened.uid !== uid;
    const notes = isOthers
      ? [`${source} belongs to uid ${opened.uid}: the container may do there what uid ${uid} may do`]
      : [];
    return { owner: { uid, gid }, notes };
  }
  if (readOnly)
    return { owner: undefined, notes: ["the container reads what everybody on the machine may read"] };
  throw new TremplinError(
    "failed",
    `${source} belongs to root, and no container may write as root of the machine: give it to an ordinary user and group (chown), or share it --read-only`,
  );
}

/**
 * The ids of the machine that ids of a container are. Throws `failed` where the container has no such ids: what belongs
 * to them would be visible to nobody in it.
 */
export function outsideOf({ name, expanded_config: config }: Instance, { uid, gid }: Ids): Ids {
  const text = config["volatile.idmap.next"] ?? config["volatile.last_state.idmap"] ?? "[]";
  const map = parseIdMap(text);
  const outside = { uid: toHostId(map, "uid", uid), gid: toHostId(map, "gid", gid) };
  if (outside.uid === undefined || outside.gid === undefined) {
    throw new TremplinError("failed", `the id map of ${name} has no uid ${uid} and gid ${gid}`);
  }
  return { uid: outside.uid, gid: outside.gid };
}

/** The note that nobody in a container has the files of a share yet. */
export function noUser(name: string): string {
  return `${name} has no user yet: its files belong to the uid 1000 there, which tremplin user ${name} USER makes`;
}

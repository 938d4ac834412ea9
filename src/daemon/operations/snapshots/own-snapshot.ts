import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Snapshot } from "../../../engine/resources/snapshots.ts";
import { OPERATION_SNAPSHOT } from "../../containers/operation-mark.ts";
import { isRollbackSnapshot } from "../upgrade/rollback-snapshot.ts";

/** Who took a snapshot: a person, a release upgrade that can be rolled back to it, or another operation. */
export type SnapshotOwner = "person" | "upgrade" | "operation";

/** An upgrade that still can be rolled back is known by its mark: a person may call a snapshot alike. */
export function ownerOf(snapshot: Snapshot): SnapshotOwner {
  if (isRollbackSnapshot(snapshot)) return "upgrade";
  return OPERATION_SNAPSHOT.test(snapshot.name) ? "operation" : "person";
}

/** Throws `failed` for a snapshot that is not a person's. */
export function checkOfPerson(container: string, snapshot: Snapshot): void {
  const owner = ownerOf(snapshot);
  if (owner === "person") return;
  throw new TremplinError(
    "failed",
    owner === "upgrade"
      ? `${snapshot.name} is the rollback snapshot of the upgrade of ${container}: tremplin upgrade ${container} --rollback returns to it, --commit deletes it`
      : `${snapshot.name} of ${container} belongs to an operation of this program; tremplin doctor shows whether it is still needed`,
  );
}

/** Throws `invalid` for a name that no snapshot can have. */
export function checkSnapshotName(name: string): void {
  if (/^[^/\s\p{Cc}]{1,255}$/u.test(name) && name !== "." && name !== "..") return;
  throw new TremplinError("invalid", `${quoted(name)} is not the name of a snapshot`);
}

/** Throws `invalid` for a name that a new snapshot of a person cannot have. */
export function checkNewSnapshotName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) {
    throw new TremplinError(
      "invalid",
      `${quoted(name)} is not a name for a snapshot: use 1 to 63 letters, digits, dots, hyphens and underscores, first a letter or a digit`,
    );
  }
  if (/^tremplin-/i.test(name)) {
    throw new TremplinError(
      "invalid",
      `names that begin with tremplin- are reserved; choose another than ${name}`,
    );
  }
}

function quoted(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}

/** The sentence that says that a snapshot does not exist. */
export function noSuchSnapshot(container: string, name: string): string {
  return `there is no snapshot ${name} of ${container}`;
}

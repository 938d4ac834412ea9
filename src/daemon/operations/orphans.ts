import { isTemporaryName } from "../../base/temporary-name.ts";
import type { Image } from "../../engine/resources/images.ts";
import type { FullInstance } from "../../engine/resources/instance.ts";
import type { Snapshot } from "../../engine/resources/snapshots.ts";
import { OPERATION_SNAPSHOT } from "../containers/operation-mark.ts";
import { UPLOAD_MARK } from "./uploaded-images.ts";

/** Something that an operation made in the engine and that belongs to no open operation. */
export interface Orphan {
  /** `replaced`: the container that an import replaced, under its temporary name. */
  readonly kind: "container" | "replaced" | "snapshot" | "image";
  /** The name of the container or of the snapshot, or the fingerprint of the image. */
  readonly name: string;
  /** The container of a snapshot; otherwise empty. */
  readonly container: string;
  /** Undefined for some names that older daemons gave. */
  readonly operation: string | undefined;
  readonly createdAt: string;
}

/** What is in the engine. */
export interface EngineContents {
  readonly instances: readonly FullInstance[];
  readonly images: readonly Image[];
}

const ID_AT_END = /-([0-9a-f]{8}|[0-9a-f]{16})$/;

/** Finds what has a name or a mark of an operation, and belongs to none of the open ones. `now`: milliseconds since 1970. */
export function findOrphans(
  { instances, images }: EngineContents,
  openOperations: ReadonlySet<string>,
  now: number,
): Orphan[] {
  const containers = instances.filter(({ type }) => type === "container");
  const found = [
    ...containers.filter(({ name }) => isTemporaryName(name)).map(ofContainer),
    ...containers.flatMap(({ name, snapshots }) =>
      (snapshots ?? [])
        .filter((snapshot) => !willExpire(snapshot, now))
        .flatMap((snapshot) => ofSnapshot(name, snapshot)),
    ),
    ...images.flatMap(ofImage),
  ];
  return found.filter(({ operation }) => operation === undefined || !openOperations.has(operation));
}

function ofContainer({ name, created_at: createdAt }: FullInstance): Orphan {
  const kind = name.startsWith("tremplin-aside-") ? "replaced" : "container";
  return { kind, name, container: "", operation: ID_AT_END.exec(name)?.[1], createdAt };
}

function ofSnapshot(container: string, { name, created_at: createdAt }: Snapshot): Orphan[] {
  const operation = OPERATION_SNAPSHOT.exec(name)?.[2];
  return operation === undefined ? [] : [{ kind: "snapshot", name, container, operation, createdAt }];
}

/** An image to which a user gave an alias belongs to them. */
function ofImage({ fingerprint, properties, aliases, uploaded_at: createdAt }: Image): Orphan[] {
  const operation = properties?.[UPLOAD_MARK];
  if (operation === undefined || aliases?.length) return [];
  return [{ kind: "image", name: fingerprint, container: "", operation, createdAt }];
}

/** Whether the engine will delete it by itself, as it does the rollback snapshot of a successful upgrade. */
function willExpire({ expires_at: expiresAt }: Snapshot, now: number): boolean {
  return Date.parse(expiresAt) > now;
}

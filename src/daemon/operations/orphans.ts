import type { Image } from "../../engine/resources/images.ts";
import type { FullInstance } from "../../engine/resources/instance.ts";
import type { Snapshot } from "../../engine/resources/snapshots.ts";
import { OPERATION_SNAPSHOT } from "../containers/operation-mark.ts";
import { isTemporaryName } from "../containers/temporary-name.ts";
import { UPLOAD_MARK } from "./uploaded-images.ts";

/** Something that an operation made in the engine and that no open operation accounts for. */
export interface Orphan {
  /** `replaced`: the container that an import was to replace, under a temporary name. */
  readonly kind: "container" | "replaced" | "snapshot" | "image";
  /** Of the container, of the snapshot without its container, or the fingerprint of the image. */
  readonly name: string;
  /** Whose snapshot it is; empty otherwise. */
  readonly container: string;
  /** Undefined where the name does not say it: older daemons gave such names. */
  readonly operation: string | undefined;
  readonly createdAt: string;
}

export interface Holdings {
  readonly instances: readonly FullInstance[];
  readonly images: readonly Image[];
}

const ID_AT_END = /-([0-9a-f]{8}|[0-9a-f]{16})$/;

/** What of the engine's holdings bears our names or marks, and is of none of the open operations. */
export function findOrphans(
  { instances, images }: Holdings,
  openOperations: ReadonlySet<string>,
  now: number,
): Orphan[] {
  const containers = instances.filter(({ type }) => type === "container");
  const found = [
    ...containers.filter(({ name }) => isTemporaryName(name)).map(ofContainer),
    ...containers.flatMap(({ name, snapshots }) =>
      (snapshots ?? [])
        .filter((snapshot) => !isLimited(snapshot, now))
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

/** One that somebody has given a name is somebody's. */
function ofImage({ fingerprint, properties, aliases, uploaded_at: createdAt }: Image): Orphan[] {
  const operation = properties?.[UPLOAD_MARK];
  if (operation === undefined || aliases?.length) return [];
  return [{ kind: "image", name: fingerprint, container: "", operation, createdAt }];
}

/** Whether the engine will delete it by itself, as the snapshot that a successful upgrade leaves. */
function isLimited({ expires_at: expiresAt }: Snapshot, now: number): boolean {
  return Date.parse(expiresAt) > now;
}

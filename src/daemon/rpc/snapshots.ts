import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import { isTemporaryName } from "../../base/temporary-name.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type CreateSnapshotRequest,
  type DeleteSnapshotRequest,
  type ListSnapshotsRequest,
  Snapshot_Owner as Owner,
  type RestoreSnapshotRequest,
} from "../../contract/tremplin/v1/guest_pb.js";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { Snapshot } from "../../engine/resources/snapshots.ts";
import { deleteSnapshot } from "../containers/delete-snapshot.ts";
import { getContainer } from "../containers/find-container.ts";
import {
  checkNewSnapshotName,
  checkOfPerson,
  checkSnapshotName,
  noSuchSnapshot,
  ownerOf,
} from "../operations/snapshots/own-snapshot.ts";
import { snapshotExists } from "../operations/snapshots/take-snapshot.ts";
import { begin, type RpcDeps } from "./rpc.ts";

/** A century: what lasts longer lasts for ever. */
const MAX_LIFETIME_SECONDS = 100n * 366n * 24n * 3600n;
const owners = { person: Owner.PERSON, upgrade: Owner.UPGRADE, operation: Owner.OPERATION };

/** Takes a snapshot of a container (docs/daily.md#snapshots). */
export function createSnapshot(deps: RpcDeps) {
  return async (request: CreateSnapshotRequest, context: HandlerContext) => {
    const { containerName: name, lifetimeSeconds } = request;
    checkContainerName(name);
    if (request.snapshotName !== "") checkNewSnapshotName(request.snapshotName);
    if (lifetimeSeconds > MAX_LIFETIME_SECONDS) {
      throw new TremplinError("invalid", "a snapshot that expires lives for at most 100 years");
    }
    const engine = deps.engine.running();
    await getContainer(engine, name, context.signal);
    const taken = (await engine.snapshots.list(name, { signal: context.signal })).map((each) => each.name);
    const snapshotName = request.snapshotName || freeName(taken);
    if (taken.includes(snapshotName)) throw new TremplinError("exists", snapshotExists(name, snapshotName));
    await begin(deps, context, deps.kinds.snapshot, name, { ...request, snapshotName });
    return { snapshotName };
  };
}

/** The snapshots of one container or of all. */
export function listSnapshots({ engine: access }: Pick<RpcDeps, "engine">) {
  return async ({ containerName }: ListSnapshotsRequest, { signal }: HandlerContext) => {
    if (containerName !== "") checkContainerName(containerName);
    const engine = access.running();
    if (containerName !== "") await getContainer(engine, containerName, signal);
    const all = await engine.instances.listFull({ signal });
    const wanted = all.filter(
      ({ name, type }) =>
        type === "container" && (containerName === "" ? !isTemporaryName(name) : name === containerName),
    );
    const snapshots = wanted.flatMap(({ name, snapshots }) =>
      (snapshots ?? []).map((snapshot) => describe(name, snapshot)),
    );
    return { snapshots: snapshots.sort((a, b) => Number(a.createdAt.seconds - b.createdAt.seconds)) };
  };
}

/** Returns a container to a snapshot. */
export function restoreSnapshot(deps: RpcDeps) {
  return async (request: RestoreSnapshotRequest, context: HandlerContext) => {
    await findOwn(deps.engine.running(), request, context.signal);
    await begin(deps, context, deps.kinds.restore, request.containerName, request);
    return {};
  };
}

/** Deletes a snapshot that a person took. */
export function removeSnapshot(deps: RpcDeps) {
  return async (request: DeleteSnapshotRequest, { signal }: HandlerContext) => {
    const engine = deps.engine.running();
    checkContainerName(request.containerName);
    using _lock = deps.runner.hold("delete-snapshot", request.containerName);
    await findOwn(engine, request, signal);
    await deleteSnapshot(engine, request.containerName, request.snapshotName, signal);
    return {};
  };
}

async function findOwn(
  engine: Engine,
  { containerName, snapshotName }: { containerName: string; snapshotName: string },
  signal: AbortSignal,
): Promise<void> {
  checkContainerName(containerName);
  checkSnapshotName(snapshotName);
  await getContainer(engine, containerName, signal);
  const found = await engine.snapshots.get(containerName, snapshotName, { signal }).catch(ifMissing);
  if (!found) throw new TremplinError("not-found", noSuchSnapshot(containerName, snapshotName));
  checkOfPerson(containerName, found);
}

function freeName(taken: readonly string[]): string {
  for (let number = 0; ; number += 1) if (!taken.includes(`snap${number}`)) return `snap${number}`;
}

function describe(containerName: string, snapshot: Snapshot) {
  const { name, created_at, expires_at } = snapshot;
  const expires = Date.parse(expires_at) > 0 ? { expiresAt: timestampFromDate(new Date(expires_at)) } : {};
  const createdAt = timestampFromDate(new Date(created_at));
  return { containerName, name, createdAt, ...expires, owner: owners[ownerOf(snapshot)] };
}

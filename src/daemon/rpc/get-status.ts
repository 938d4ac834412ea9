import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { errorMessage } from "../../base/tremplin-error.ts";
import { Engine_Phase as Phase, Engine_State as State } from "../../contract/tremplin/v1/guest_pb.js";
import type { Engine } from "../../engine/engine.ts";
import type { JournalEntry } from "../notices/journal.ts";
import { rpcName } from "../notices/notice.ts";
import type { NoticeQueue } from "../notices/notice-queue.ts";
import { type SetAsideRecord, setAsideRecords } from "../notices/set-aside-records.ts";
import type { LockHolder } from "../operations/runner/locks.ts";
import { type EngineState, isLaunching, isUsable, type ResetStep } from "../supervisor/engine-state.ts";
import { containerOf, type RpcDeps } from "./rpc.ts";
import { timestampFrom } from "./timestamp.ts";

const states = {
  stopped: State.STOPPED,
  starting: State.STARTING,
  resetting: State.STARTING,
  recovering: State.STARTING,
  running: State.RUNNING,
  restarting: State.RUNNING,
  failed: State.FAILED,
};

const resetPhases: Readonly<Record<ResetStep, Phase>> = {
  saving: Phase.SAVING_CONFIG,
  moving: Phase.MOVING_DATABASE,
  recovering: Phase.RECOVERING_CONTAINERS,
  restoring: Phase.RESTORING_DATABASE,
  discarding: Phase.CONCLUDING_RESET,
};

/** The daemon, its engine, the operations under way, and the notices that the host has not acknowledged. */
export function getStatus(deps: RpcDeps) {
  const { supervisor, notices, site } = deps;
  return async () => {
    const { state } = supervisor;
    return {
      daemonId: deps.daemonId,
      sharedFolder: deps.places.shared,
      version: deps.version,
      startedAt: timestampFromDate(deps.startedAt),
      site: site.name,
      engine: {
        state: states[state.status],
        failureReason: state.status === "failed" ? state.error.message : "",
        phase: phaseOf(state),
        phaseReason: (isLaunching(state) && state.reason) || "",
        ...(isUsable(state) && (await engineStatus(state.engine, deps.bridge))),
      },
      containersToStart: [...deps.toStart.waiting],
      undeliveredNotices: notices.queue.length,
      ...delivery(notices.queue),
      ...(await onDisk(deps)),
    };
  };
}

function phaseOf(state: EngineState): Phase {
  switch (state.status) {
    case "starting":
      return state.step === "launching" ? Phase.LAUNCHING : Phase.PREPARING;
    case "resetting":
      return resetPhases[state.step];
    case "recovering":
      return Phase.RECOVERING_OPERATIONS;
    case "restarting":
      return Phase.RESTARTING;
    default:
      return Phase.PHASE_UNSPECIFIED;
  }
}

/** Since when and why the host does not answer, and which notice has waited longest. */
function delivery({ outage, oldest }: Pick<NoticeQueue, "outage" | "oldest">) {
  return {
    ...(outage && { hostAwaySince: timestampFrom(outage.since), hostAwayReason: outage.reason }),
    ...(oldest && {
      oldestNotice: {
        rpc: rpcName(oldest.notice.method),
        containerName: containerOf(oldest.notice.message),
        operation: oldest.operation ?? "",
        since: timestampFrom(oldest.since),
      },
    }),
  };
}

/** The parts of the answer that are read from files. A folder that cannot be read is listed like a damaged record. */
async function onDisk({ runner, notices, places, clock }: RpcDeps) {
  const { journal, journalFolder, rejected } = notices;
  const unreadable: SetAsideRecord[] = [];
  const from = async <T>(path: string, items: Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await items;
    } catch (error) {
      unreadable.push({ path, reason: `it cannot be read: ${errorMessage(error)}`, since: clock.now() });
      return [];
    }
  };
  const before = runner.locks.all();
  const entries = await from(journalFolder, journal.entries());
  const rejections = await from(rejected.folder, rejected.list());
  const folders = [journalFolder, rejected.folder, places.state];
  const setAside = await Promise.all(folders.map((folder) => from(folder, setAsideRecords(folder))));
  return {
    operations: openOperations(before, entries, runner.locks.all()),
    refusedNotices: rejections.map(({ notice, container, operation, reason, since }) => ({
      rpc: rpcName(notice.method),
      containerName: container,
      operation: operation ?? "",
      since: timestampFrom(since),
      reason,
    })),
    setAsideRecords: [...unreadable, ...setAside.flat()].map((record) => ({
      ...record,
      since: timestampFrom(record.since),
    })),
  };
}

/** Unfinished operations, oldest first: those under way, and those of an earlier daemon in the journal. */
function openOperations(
  before: readonly LockHolder[],
  entries: readonly JournalEntry[],
  now: readonly LockHolder[],
) {
  // One that ended while the journal was read is in `before` only; it is no operation of an earlier daemon.
  const known = new Set([...before, ...now].map(({ id }) => id));
  const left = entries.filter(({ id, final, owed }) => (!final || owed) && !known.has(id));
  const all = [
    ...now.map((operation) => ({ operation, waitsForRecovery: false, obstacle: operation.obstacle ?? "" })),
    ...left.map((operation) => ({ operation, waitsForRecovery: true, obstacle: operation.owed ?? "" })),
  ];
  return all
    .sort((a, b) => a.operation.startedAt - b.operation.startedAt)
    .map(({ operation: { id, kind, container, startedAt }, waitsForRecovery, obstacle }) => ({
      id,
      kind,
      containerName: container,
      startedAt: timestampFrom(startedAt),
      waitsForRecovery,
      obstacle,
    }));
}

/** Of an engine that crashed and is started again only kind, version and address are known. */
async function engineStatus(engine: Engine, bridge: string) {
  const { address, info } = engine;
  const network = await engine.networks.get(bridge).catch(() => undefined);
  const pool = await engine.pools.get("default").catch(() => undefined);
  return {
    kind: info.kind,
    version: info.version,
    socket: address.kind === "unix" ? address.path : `https://${address.host}:${address.port}`,
    bridge,
    subnet: network?.value.config["ipv4.address"] ?? "",
    storage: pool?.value.driver ?? "",
  };
}

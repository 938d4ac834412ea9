import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { errorMessage } from "../../base/tremplin-error.ts";
import { Engine_State as State } from "../../contract/tremplin/v1/guest_pb.js";
import type { Engine } from "../../engine/engine.ts";
import type { JournalEntry } from "../notices/journal.ts";
import { rpcName } from "../notices/notice.ts";
import type { NoticeQueue } from "../notices/notice-queue.ts";
import { type SetAsideRecord, setAsideRecords } from "../notices/set-aside-records.ts";
import type { Holder } from "../operations/runner/locks.ts";
import { containerOf, type RpcDeps } from "./rpc.ts";
import { timestampFrom } from "./timestamp.ts";

const states = {
  stopped: State.STOPPED,
  starting: State.STARTING,
  running: State.RUNNING,
  failed: State.FAILED,
};

/** The daemon, its engine, the operations under way, and the notices that the host has not acknowledged. */
export function getStatus(deps: RpcDeps) {
  const { supervisor, notices, site } = deps;
  return async () => {
    const { state } = supervisor;
    return {
      daemonId: deps.daemonId,
      version: deps.version,
      startedAt: timestampFromDate(deps.startedAt),
      site: site.name,
      engine: {
        state: states[state.status],
        failureReason: state.status === "failed" ? state.error.message : "",
        ...(state.status === "running" && (await engineStatus(state.engine, deps.bridge))),
      },
      undeliveredNotices: notices.queue.length,
      ...delivery(notices.queue),
      ...(await onDisk(deps)),
    };
  };
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

/** What the files say. A folder that cannot be read is listed like a record that cannot. */
async function onDisk({ runner, notices: { journal, journalFolder, rejected }, clock }: RpcDeps) {
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
  const setAside = await from(journalFolder, setAsideRecords(journalFolder));
  return {
    operations: openOperations(before, entries, runner.locks.all()),
    refusedNotices: rejections.map(({ notice, container, operation, reason, since }) => ({
      rpc: rpcName(notice.method),
      containerName: container,
      operation: operation ?? "",
      since: timestampFrom(since),
      reason,
    })),
    setAsideRecords: [...unreadable, ...setAside].map((record) => ({
      ...record,
      since: timestampFrom(record.since),
    })),
  };
}

/** Operations without a final notice, oldest first: those under way, and those of an earlier daemon in the journal. */
function openOperations(before: readonly Holder[], entries: readonly JournalEntry[], now: readonly Holder[]) {
  // One that ended while the journal was read is not under way any more, but needs no recovery.
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

/** The network and the pool are missing while a dead engine is started again. */
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

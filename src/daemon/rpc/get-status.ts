import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { errorMessage } from "../../base/tremplin-error.ts";
import { Engine_State as State } from "../../contract/tremplin/v1/guest_pb.js";
import type { Engine } from "../../engine/engine.ts";
import type { JournalEntry } from "../notices/journal.ts";
import { rpcName } from "../notices/notice.ts";
import { type SetAsideRecord, setAsideRecords } from "../notices/set-aside-records.ts";
import type { Holder } from "../operations/runner/locks.ts";
import { isUsable } from "../supervisor/engine-state.ts";
import type { GuestServiceDeps } from "./guest-service.ts";
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

/** The daemon, its engine, what has no end yet, and what the host has not taken. */
export function getStatus(tools: GuestServiceDeps) {
  const { supervisor, outbox, site } = tools;
  return async () => {
    const { state } = supervisor;
    return {
      daemonId: tools.daemonId,
      version: tools.version,
      startedAt: timestampFromDate(tools.startedAt),
      site: site.name,
      engine: {
        state: states[state.status],
        failureReason: state.status === "failed" ? state.error.message : "",
        ...(isUsable(state) && (await engineStatus(state.engine, tools.bridge))),
      },
      undeliveredNotices: outbox.waiting,
      ...waitingFor(outbox),
      ...(await onDisk(tools)),
    };
  };
}

/** Since when and why notices wait, and which one longest. */
function waitingFor({ hostAway, oldest }: GuestServiceDeps["outbox"]) {
  return {
    ...(hostAway && {
      hostAwaySince: timestampFrom(hostAway.since),
      hostAwayReason: hostAway.reason,
    }),
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

/** What comes from files. A folder that cannot be read is listed like a record that cannot. */
async function onDisk({ runner, journal, journalFolder, refused, clock }: GuestServiceDeps) {
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
  const refusals = await from(refused.folder, refused.list());
  const setAside = await from(journalFolder, setAsideRecords(journalFolder));
  return {
    operations: openOperations(before, entries, runner.locks.all()),
    refusedNotices: refusals.map(({ notice, container, operation, reason, since }) => ({
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

/** Operations without an end, oldest first: under way now, and what an earlier daemon left in the journal. */
function openOperations(before: readonly Holder[], entries: readonly JournalEntry[], now: readonly Holder[]) {
  // One that ended while the journal was read is under way no more, but nobody left it.
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

function containerOf(message: object): string {
  return "containerName" in message ? String(message.containerName) : "";
}

/** An engine that just died and is started again cannot say more than what it is. */
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

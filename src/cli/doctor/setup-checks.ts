import { TremplinError } from "../../base/tremplin-error.ts";
import {
  Engine_Phase as EnginePhase,
  Engine_State as EngineState,
  type GetStatusResponse,
  Guest,
  type Problem,
} from "../../contract/tremplin/v1/guest_pb.js";
import { type GuestInfo, Host } from "../../contract/tremplin/v1/host_pb.js";
import type { BackgroundProcess } from "../background/background-process.ts";
import { isAlive } from "../background/process-record.ts";
import type { RunFolder } from "../background/run-folder.ts";
import type { HostFlags } from "../flags/host-flags.ts";
import { findProblems } from "../host-client/find-problems.ts";
import { HostApi } from "../host-client/host-api.ts";
import { engineText } from "../text/engine-text.ts";
import { isOfOperation, nameOf } from "../text/status-text.ts";
import { badFinding, type Finding, goodFinding, noteFinding } from "./finding.ts";
import { orphanChecks } from "./orphan-checks.ts";

const CALL_TIMEOUT_MS = 10_000;

/** Whether the programs run and answer, and what they report. */
export async function setupChecks(run: RunFolder, flags: HostFlags, signal: AbortSignal): Promise<Finding[]> {
  const programs = await Promise.all([checkProcess(run.host), checkProcess(run.daemon)]);
  const isStarted = programs.some(({ state }) => state !== "note");
  using api = HostApi.open(flags);
  const guests = await attempt(() =>
    api.call(Host.method.listGuests, {}, { signal, timeout: CALL_TIMEOUT_MS }),
  );
  if (guests instanceof TremplinError) {
    const finding = isStarted ? badFinding : noteFinding;
    const advice = process.getuid?.() === 0 ? "sudo tremplin up" : "sudo tremplin doctor checks more";
    return [...programs, finding("host", guests.message, advice)];
  }
  const found = await Promise.all(guests.guests.map((guest) => checkGuest(guest, flags, signal)));
  return [...programs, goodFinding("host", `answers at ${api.address}`), ...found.flat()];
}

async function checkProcess(background: BackgroundProcess): Promise<Finding> {
  const name = `${background.name} process`;
  const record = await attempt(() => background.record());
  if (record instanceof TremplinError) return noteFinding(name, record.message, "sudo tremplin doctor");
  if (!record)
    return noteFinding(
      name,
      "not started by tremplin up",
      "sudo tremplin up, unless something else starts it",
    );
  if (isAlive(record)) return goodFinding(name, `process ${record.pid} is running`);
  return badFinding(
    name,
    `process ${record.pid} has died; its log is ${background.logFile}`,
    "sudo tremplin up starts it again",
  );
}

async function checkGuest(guest: GuestInfo, flags: HostFlags, signal: AbortSignal): Promise<Finding[]> {
  const name = `guest ${guest.name}`;
  if (!guest.reachable)
    return [
      badFinding(name, guest.failureReason, "see the log of its daemon; sudo tremplin up starts the daemon"),
    ];
  using api = HostApi.open({ ...flags, guest: guest.name });
  const status = await attempt(() =>
    api.call(Guest.method.getStatus, {}, { signal, timeout: CALL_TIMEOUT_MS }),
  );
  const reachable = goodFinding(name, `answers at ${guest.address}`);
  if (status instanceof TremplinError)
    return [reachable, noteFinding("engine state", status.message, "nothing to do")];
  const pending = pendingChecks(status);
  const engine = engineCheck(status);
  if (engine.state !== "good") return [reachable, engine, ...pending];
  const orphans = await attempt(() =>
    api.call(Guest.method.listOrphans, {}, { signal, timeout: CALL_TIMEOUT_MS }),
  );
  const problems = problemChecks(await findProblems(api, signal));
  return [reachable, engine, ...pending, ...orphanChecks(orphans, status.engine), ...problems];
}

/** What on the guest is in the way of its containers. A daemon of an earlier version does not look. */
function problemChecks(problems: readonly Problem[] | undefined): Finding[] {
  if (problems?.length === 0) return [goodFinding("problems", "none found for containers")];
  return (problems ?? []).map(({ area, problem, advice }) => {
    // Containers that work go on working.
    const finding = area === "addresses" || area === "inotify" ? noteFinding : badFinding;
    return finding(`problem ${area}`, problem, advice);
  });
}

function engineCheck(status: GetStatusResponse): Finding {
  const text = engineText(status.engine);
  switch (status.engine?.state) {
    case EngineState.RUNNING:
      return status.engine.phase === EnginePhase.RESTARTING
        ? noteFinding("engine state", text, "wait for it; its log has the reason")
        : goodFinding("engine state", text);
    case EngineState.FAILED:
      return badFinding(
        "engine state",
        text,
        "sudo tremplin up tries again; the daemon's log has the details",
      );
    default:
      return noteFinding("engine state", text, "sudo tremplin up");
  }
}

async function attempt<T>(call: () => Promise<T>): Promise<T | TremplinError> {
  try {
    return await call();
  } catch (thrown) {
    return TremplinError.from(thrown);
  }
}

/** Notices that the host did not take, and journal records that the daemon could not use. */
function pendingChecks(status: GetStatusResponse): Finding[] {
  const {
    hostAwaySince,
    hostAwayReason,
    undeliveredNotices: count,
    refusedNotices,
    setAsideRecords,
  } = status;
  const undelivered = `${count} notices not delivered; the last attempt failed: ${hostAwayReason}`;
  return [
    ...(hostAwaySince
      ? [badFinding("notices", undelivered, "check whether the daemon's --host is the address of this host")]
      : []),
    ...refusedNotices.map(({ rpc, containerName, reason }) =>
      noteFinding(
        "rejected notice",
        `${nameOf(rpc, containerName)}: ${reason}`,
        "once the host can take it, restart the daemon within a day: sudo tremplin down; sudo tremplin up",
      ),
    ),
    ...setAsideRecords.map(({ path, reason }) =>
      noteFinding(
        "set aside",
        `${path}: ${reason}`,
        isOfOperation(path)
          ? "check the container that the record names, then delete the file"
          : "look at it if something of yours is missing, then delete the file",
      ),
    ),
  ];
}

import { TremplinError } from "../../base/tremplin-error.ts";
import {
  Engine_Phase as EnginePhase,
  Engine_State as EngineState,
  type GetStatusResponse,
  Guest,
} from "../../contract/tremplin/v1/guest_pb.js";
import { type GuestInfo, Host } from "../../contract/tremplin/v1/host_pb.js";
import { parseAddress } from "../../transport/address.ts";
import type { BackgroundProcess } from "../background/background-process.ts";
import { isAlive } from "../background/process-record.ts";
import type { RunFolder } from "../background/run-folder.ts";
import { type HostFlags, tlsOf } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import { engineText } from "../text/engine-text.ts";
import { bad, type Finding, good, note } from "./finding.ts";
import { leftChecks } from "./left-checks.ts";
import { orphanChecks } from "./orphan-checks.ts";

const PATIENCE = 10_000;

/** What runs, and whether it answers. */
export async function setupChecks(run: RunFolder, flags: HostFlags, signal: AbortSignal): Promise<Finding[]> {
  const programs = await Promise.all([checkPart(run.host), checkPart(run.daemon)]);
  const isUp = programs.some(({ state }) => state !== "note");
  using api = HostApi.open(flags);
  const guests = await ask(() => api.call(Host.method.listGuests, {}, { signal, timeout: PATIENCE }));
  if (guests instanceof TremplinError) {
    const finding = isUp ? bad : note;
    const advice = process.getuid?.() === 0 ? "sudo tremplin up" : "sudo tremplin doctor sees more";
    return [...programs, finding("host", guests.message, advice)];
  }
  const found = await Promise.all(guests.guests.map((guest) => checkGuest(guest, flags, signal)));
  return [...programs, good("host", `answers at ${api.address}`), ...found.flat()];
}

async function checkPart(part: BackgroundProcess): Promise<Finding> {
  const name = `${part.name} process`;
  const record = await ask(() => part.record());
  if (record instanceof TremplinError) return note(name, record.message, "sudo tremplin doctor");
  if (!record)
    return note(name, "none was started by tremplin up", "sudo tremplin up, unless it is started elsewhere");
  if (isAlive(record)) return good(name, `process ${record.pid} lives`);
  return bad(
    name,
    `process ${record.pid} has died; its log is ${part.logFile}`,
    "sudo tremplin up starts it again",
  );
}

async function checkGuest(guest: GuestInfo, flags: HostFlags, signal: AbortSignal): Promise<Finding[]> {
  const name = `guest ${guest.name}`;
  if (!guest.reachable)
    return [bad(name, guest.failureReason, "see the log of its daemon; sudo tremplin up starts it")];
  using api = new HostApi(parseAddress(flags.host), guest.name, tlsOf(flags));
  const status = await ask(() => api.call(Guest.method.getStatus, {}, { signal, timeout: PATIENCE }));
  const reachable = good(name, `answers at ${guest.address}`);
  if (status instanceof TremplinError)
    return [reachable, note("engine state", status.message, "nothing to do")];
  const left = leftChecks(status);
  const engine = engineCheck(status);
  if (engine.state !== "good") return [reachable, engine, ...left];
  const orphans = await ask(() => api.call(Guest.method.listOrphans, {}, { signal, timeout: PATIENCE }));
  return [reachable, engine, ...left, ...orphanChecks(orphans, status.engine)];
}

function engineCheck(status: GetStatusResponse): Finding {
  const text = engineText(status.engine);
  switch (status.engine?.state) {
    case EngineState.RUNNING:
      return status.engine.phase === EnginePhase.RESTARTING
        ? note("engine state", text, "wait for it; its log has the reason")
        : good("engine state", text);
    case EngineState.FAILED:
      return bad("engine state", text, "sudo tremplin up tries again; the daemon's log has the rest");
    default:
      return note("engine state", text, "sudo tremplin up");
  }
}

async function ask<T>(question: () => Promise<T>): Promise<T | TremplinError> {
  try {
    return await question();
  } catch (thrown) {
    return TremplinError.from(thrown);
  }
}

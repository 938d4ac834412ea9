import { Engine_State as EngineState, Guest } from "../contract/tremplin/v1/guest_pb.js";
import { StartLxdResponse_Status as Status, Tremplin } from "../contract/tremplin_pb.js";
import type { HostApi } from "./host-api.ts";
import { type Answer, runOperation, type Session } from "./operation.ts";

/** Has the guest launch its engine unless it runs, or reset its database. Returns what became of it. */
export async function launchEngine(session: Session, resetLxdDb: boolean): Promise<string> {
  const { api, io } = session;
  const { engine } = await api.call(Guest.method.getStatus, {}, { signal: io.interrupted });
  if (engine?.state === EngineState.RUNNING && !resetLxdDb) return "ran already";
  const title = resetLxdDb ? "resetting the engine's database" : "launching the engine";
  const ask = (host: HostApi, signal: AbortSignal) => askFor(host, resetLxdDb, signal);
  return await runOperation(session, { title, kind: "startLxd", container: "", mustExist: false, ask });
}

async function askFor(api: HostApi, resetLxdDb: boolean, signal: AbortSignal): Promise<Answer> {
  const { status, failureReason } = await api.call(Tremplin.method.startLxd, { resetLxdDb }, { signal });
  if (status === Status.STARTING) return { kind: "accepted" };
  if (status === Status.ALREADY_RUNNING) return { kind: "already", words: "ran already" };
  return { kind: "refused", reason: failureReason };
}

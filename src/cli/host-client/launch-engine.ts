import { Engine_State as EngineState, Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { StartLxdResponse_Status as Status, Tremplin } from "../../contract/tremplin_pb.js";
import type { CallSettings, HostApi } from "./host-api.ts";
import { type Answer, runOperation, type Session } from "./operation.ts";

/** Has the guest launch its engine unless it runs, or reset its database. Returns what became of it. */
export async function launchEngine(session: Session, resetLxdDb: boolean): Promise<string> {
  const { api, io } = session;
  const { engine } = await api.call(Guest.method.getStatus, {}, { signal: io.interrupted });
  if (engine?.state === EngineState.RUNNING && !resetLxdDb) return "ran already";
  const title = resetLxdDb ? "resetting the engine's database" : "launching the engine";
  const ask = (host: HostApi, settings: CallSettings) => askFor(host, resetLxdDb, settings);
  return (await runOperation(session, { title, kind: "startLxd", container: "", mustExist: false, ask }))
    .words;
}

async function askFor(api: HostApi, resetLxdDb: boolean, settings: CallSettings): Promise<Answer> {
  const { status, failureReason } = await api.call(Tremplin.method.startLxd, { resetLxdDb }, settings);
  if (status === Status.STARTING) return { kind: "accepted" };
  if (status === Status.ALREADY_RUNNING) return { kind: "already", words: "ran already" };
  return { kind: "refused", reason: failureReason };
}

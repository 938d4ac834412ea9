import { Engine_State as EngineState, Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { StartLxdResponse_Status as Status, Tremplin } from "../../contract/tremplin_pb.js";
import type { CallSettings, HostApi } from "./host-api.ts";
import { type Outcome, type Reply, runOperation } from "./run-operation.ts";
import type { Session } from "./session.ts";

const ALREADY = "ran already";

/** Makes the guest start its engine unless it runs, or reset the engine's database. */
export async function launchEngine(session: Session, resetLxdDb: boolean): Promise<Outcome> {
  const { api, io } = session;
  const { engine } = await api.call(Guest.method.getStatus, {}, { signal: io.interrupted });
  if (engine?.state === EngineState.RUNNING && !resetLxdDb) return { text: ALREADY, operation: undefined };
  return await runOperation(session, {
    title: resetLxdDb ? "resetting the engine's database" : "starting the engine",
    kind: "startLxd",
    container: "",
    mustExist: false,
    request: (host, settings) => requestLaunch(host, resetLxdDb, settings),
  });
}

async function requestLaunch(api: HostApi, resetLxdDb: boolean, settings: CallSettings): Promise<Reply> {
  const { status, failureReason } = await api.call(Tremplin.method.startLxd, { resetLxdDb }, settings);
  if (status === Status.STARTING) return { kind: "accepted" };
  if (status === Status.ALREADY_RUNNING) return { kind: "already", text: ALREADY };
  return { kind: "refused", reason: failureReason };
}

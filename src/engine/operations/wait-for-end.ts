import { TremplinError } from "../../base/tremplin-error.ts";
import { isCancelled, operationError } from "../http/engine-error.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { refusalOf } from "../http/reply.ts";
import { hasEnded, type Operation } from "./operation.ts";

/** Seconds of one question; asked again and again, so that an engine that vanished silently is noticed. */
const oneWait = 60;

/** Waits until an operation ended. See EngineOperation.wait for what it throws. */
export async function waitForEnd(
  http: EngineHttp,
  begun: Operation,
  hidesOperation: boolean,
): Promise<Operation> {
  for (;;) {
    const operation = await ask(http, begun, hidesOperation);
    if (hasEnded(operation)) return conclude(operation);
  }
}

async function ask(http: EngineHttp, begun: Operation, hidesOperation: boolean): Promise<Operation> {
  const path = `/1.0/operations/${begun.id}`;
  try {
    const query = { timeout: String(oneWait) };
    const timeLimit = (oneWait + 30) * 1000;
    return (await http.call<Operation>({ method: "GET", path: `${path}/wait`, query, timeLimit })).metadata;
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    if (!hidesOperation || refusal.status >= 300) throw forgotten(begun, error);
    return (await read(http, path)) ?? { ...begun, status_code: 400, err: refusal.words };
  }
}

/** The operation behind an answer that hid it (Incus); undefined if it is forgotten already. */
async function read(http: EngineHttp, path: string): Promise<Operation | undefined> {
  try {
    return (await http.call<Operation>({ method: "GET", path })).metadata;
  } catch (error) {
    if (error instanceof TremplinError && error.code === "not-found") return undefined;
    throw error;
  }
}

function conclude(operation: Operation): Operation {
  if (operation.status_code === 200) return operation;
  const doing = operation.description || `operation ${operation.id}`;
  if (operation.status_code === 401 || isCancelled(operation.err)) {
    throw new TremplinError("cancelled", `${doing}: it was cancelled in the engine`, operation);
  }
  throw operationError(doing, operation.err || operation.status, operation);
}

function forgotten(begun: Operation, error: unknown): unknown {
  if (!(error instanceof TremplinError) || error.code !== "not-found") return error;
  const sentence = `the engine no longer knows the operation "${begun.description}" (${begun.id}); it was restarted, or it ended unseen`;
  return new TremplinError("unavailable", sentence, error);
}

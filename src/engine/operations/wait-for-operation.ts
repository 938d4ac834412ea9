import { TremplinError } from "../../base/tremplin-error.ts";
import { isCancelled, operationError } from "../http/engine-error.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { refusalOf } from "../http/reply.ts";
import { hasEnded, type OperationRecord } from "./operation-record.ts";

/** The time limit of one request. It is repeated, so that an engine that vanished silently is noticed. */
const POLL_SECONDS = 60;

/** Waits until an operation has ended. EngineOperation.wait documents the errors. */
export async function waitForOperation(
  http: EngineHttp,
  initial: OperationRecord,
  hidesOperation: boolean,
): Promise<OperationRecord> {
  for (;;) {
    const operation = await ask(http, initial, hidesOperation);
    if (hasEnded(operation)) return conclude(operation);
  }
}

async function ask(
  http: EngineHttp,
  initial: OperationRecord,
  hidesOperation: boolean,
): Promise<OperationRecord> {
  const path = `/1.0/operations/${initial.id}`;
  try {
    const query = { timeout: String(POLL_SECONDS) };
    const timeoutMs = (POLL_SECONDS + 30) * 1000;
    return (await http.call<OperationRecord>({ method: "GET", path: `${path}/wait`, query, timeoutMs }))
      .metadata;
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    if (!hidesOperation || refusal.status >= 300) throw unknownOperation(initial, error);
    return (await read(http, path)) ?? { ...initial, status_code: 400, err: refusal.message };
  }
}

/**
 * Reads an operation that a response hid (see waitHidesOperation); undefined if the engine has already forgotten it.
 */
async function read(http: EngineHttp, path: string): Promise<OperationRecord | undefined> {
  try {
    return (await http.call<OperationRecord>({ method: "GET", path })).metadata;
  } catch (error) {
    if (error instanceof TremplinError && error.code === "not-found") return undefined;
    throw error;
  }
}

function conclude(operation: OperationRecord): OperationRecord {
  if (operation.status_code === 200) return operation;
  const action = operation.description || `operation ${operation.id}`;
  if (operation.status_code === 401 || isCancelled(operation.err)) {
    throw new TremplinError("cancelled", `${action}: it was cancelled in the engine`, operation);
  }
  throw operationError(action, operation.err || operation.status, operation);
}

function unknownOperation(initial: OperationRecord, error: unknown): unknown {
  if (!(error instanceof TremplinError) || error.code !== "not-found") return error;
  const sentence = `the engine no longer knows the operation "${initial.description}" (${initial.id}); the engine was restarted, or the operation ended too long ago`;
  return new TremplinError("unavailable", sentence, error);
}

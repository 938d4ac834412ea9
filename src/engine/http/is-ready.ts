import { silentLogger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { CallOptions } from "./call-options.ts";
import type { EngineAddress } from "./engine-address.ts";
import { EngineHttp } from "./engine-http.ts";

const READY_TIMEOUT_MS = 5_000;

/**
 * Whether the engine accepts connections and reports that it is ready (docs/contract.md#launching-the-engine). One
 * attempt; false for any failure. A remote engine does not report readiness: it only has to answer.
 */
export async function isReady(address: EngineAddress, { signal }: CallOptions = {}): Promise<boolean> {
  using http = new EngineHttp(address, silentLogger);
  try {
    const path = address.kind === "unix" ? "/internal/ready" : "/1.0";
    await http.call({ method: "GET", path, signal, timeoutMs: READY_TIMEOUT_MS });
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof TremplinError) return false;
    throw error;
  }
}

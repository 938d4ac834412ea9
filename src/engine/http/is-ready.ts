import { silentLogger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { EngineAddress } from "./engine-address.ts";
import { EngineHttp } from "./engine-http.ts";
import type { Options } from "./options.ts";

/** Milliseconds that an engine may take to say whether it is ready. */
const readyLimit = 5_000;

/**
 * Whether the engine's socket takes connections and the engine calls itself ready (behaviour.md 3.1). One
 * try; false whatever is wrong. A remote engine tells nobody whether it is ready: there it must only answer.
 */
export async function isReady(address: EngineAddress, { signal }: Options = {}): Promise<boolean> {
  using http = new EngineHttp(address, silentLogger);
  try {
    const path = address.kind === "unix" ? "/internal/ready" : "/1.0";
    await http.call({ method: "GET", path, signal, timeLimit: readyLimit });
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof TremplinError) return false;
    throw error;
  }
}

import { createClient } from "@connectrpc/connect";
import type { SelfCheck } from "../base/processes/service-manager.ts";
import { Health } from "../contract/grpc/health/v1/health_pb.js";
import type { Address } from "./address.ts";
import { dial } from "./client.ts";

/**
 * Asks a server of this process for its health, by the first of its addresses that needs no credentials: so a connection
 * is accepted, a request read and an answer sent. Without such an address only the event loop is checked.
 */
export function selfCheck(addresses: readonly Address[]): SelfCheck & Disposable {
  const address = addresses.find(({ kind }) => kind === "unix");
  if (!address) return Object.assign(() => Promise.resolve(), { [Symbol.dispose]: () => undefined });
  const connection = dial(address);
  const client = createClient(Health, connection.transport);
  const check = async (signal: AbortSignal): Promise<void> => {
    await client.check({}, { signal });
  };
  return Object.assign(check, { [Symbol.dispose]: () => connection[Symbol.dispose]() });
}

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type EngineAddress, tlsOf } from "./engine-address.ts";
import { connectionError } from "./engine-error.ts";
import { readReply } from "./reply.ts";

/**
 * Upgrades a request to a stream of bytes in both directions, which ends when the signal aborts. Throws like any
 * request of EngineHttp.
 */
export async function openUpgraded(
  address: EngineAddress,
  path: string,
  protocol: string,
  signal: AbortSignal,
): Promise<Duplex> {
  signal.throwIfAborted();
  const action = `opening ${path}`;
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const common = { path, agent: false, headers: { connection: "Upgrade", upgrade: protocol }, signal };
  const asking =
    address.kind === "unix"
      ? httpRequest({ ...common, socketPath: address.path })
      : httpsRequest({ ...common, host: address.host, port: address.port, ...tlsOf(address) });
  asking.once("upgrade", (_answer, stream, head) => {
    if (head.length > 0) stream.unshift(head);
    resolve(stream);
  });
  asking.once("response", (answer) => {
    const refused = () =>
      new TremplinError("failed", `the engine refused ${action}: HTTP ${answer.statusCode}`);
    readReply(answer, action).then(() => reject(refused()), reject);
  });
  asking.on("error", (error) =>
    reject(signal.aborted ? signal.reason : connectionError(error, address, action)),
  );
  asking.end();
  return promise;
}

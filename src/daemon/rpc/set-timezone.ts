import type { HandlerContext } from "@connectrpc/connect";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { checkContainerName } from "../../base/container-name.ts";
import { checkTimeZoneName } from "../../base/time-zones.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { SetTimezoneRequest } from "../../contract/tremplin_pb.js";
import { getContainer } from "../containers/find-container.ts";
import { setTimeZone, type TimeZone } from "../guest/set-time-zone.ts";
import { checkPosixTimeZone } from "../guest/time-zone.ts";
import { type RpcDeps, withStatusErrors } from "./rpc.ts";

/** For one container. */
const TIME_LIMIT_MS = 20_000;

/**
 * docs/contract.md#settimezone. All containers at the same time; one that is named twice counts once. A container in
 * which only TZ could be set counts, and has a reason too.
 */
export function setTimezone(deps: RpcDeps) {
  async function setIn(container: string, zone: TimeZone, requestSignal: AbortSignal): Promise<string> {
    checkContainerName(container);
    const late = () => new TremplinError("failed", `it did not answer within ${TIME_LIMIT_MS / 1000} s`);
    using limit = new TimeLimit(TIME_LIMIT_MS, late, [requestSignal]);
    const engine = deps.engine.running();
    try {
      return await setTimeZone(
        engine,
        await getContainer(engine, container, limit.signal),
        zone,
        limit.signal,
      );
    } catch (error) {
      const sentence = `the time zone of ${container} could not be set to ${zone.name}: ${errorMessage(error)}`;
      throw new TremplinError(TremplinError.from(error).code, sentence, error);
    }
  }

  return withStatusErrors(
    deps,
    async (request: SetTimezoneRequest, { signal }: HandlerContext) => {
      deps.engine.running();
      const zone = { name: request.timezoneName, posix: request.posixTzString };
      checkTimeZoneName(zone.name);
      if (zone.posix !== "") checkPosixTimeZone(zone.posix);
      const names = [...new Set(request.containerNames)];
      const outcomes = await Promise.allSettled(names.map((name) => setIn(name, zone, signal)));
      const reasons = outcomes.map((outcome) =>
        outcome.status === "rejected" ? errorMessage(outcome.reason) : outcome.value,
      );
      const failureReasons = reasons.filter((reason) => reason !== "");
      for (const reason of failureReasons) deps.log.warn(reason);
      const successes = outcomes.filter(({ status }) => status === "fulfilled").length;
      return { successes, failureReasons };
    },
    (reason) => ({ successes: 0, failureReasons: [reason] }),
  );
}

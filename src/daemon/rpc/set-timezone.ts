import type { HandlerContext } from "@connectrpc/connect";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { SetTimezoneRequest } from "../../contract/tremplin_pb.js";
import { getContainer } from "../containers/find-container.ts";
import { setTimeZone, type TimeZone } from "../guest/set-time-zone.ts";
import { checkPosixTimeZone, checkTimeZoneName } from "../guest/time-zone.ts";
import { checkContainerName } from "./container-name.ts";
import { type RpcDeps, withStatusErrors } from "./rpc.ts";

/** For one container, whatever it does. Milliseconds. */
const TIME_LIMIT = 20_000;

/** behaviour.md 5.9, 12 item 46. All containers at the same time; one that is named twice counts once. */
export function setTimezone(tools: RpcDeps) {
  async function setIn(container: string, zone: TimeZone, outer: AbortSignal): Promise<void> {
    checkContainerName(container);
    const late = () => new TremplinError("failed", `it did not answer within ${TIME_LIMIT / 1000} s`);
    using limit = new TimeLimit(TIME_LIMIT, late, [outer]);
    const engine = tools.engine();
    try {
      await setTimeZone(engine, await getContainer(engine, container, limit.signal), zone, limit.signal);
    } catch (error) {
      const sentence = `the time zone of ${container} is not ${zone.name}: ${errorMessage(error)}`;
      throw new TremplinError(TremplinError.from(error).code, sentence, error);
    }
  }

  return withStatusErrors(
    tools,
    async (request: SetTimezoneRequest, { signal }: HandlerContext) => {
      tools.engine();
      const zone = { name: request.timezoneName, posix: request.posixTzString };
      checkTimeZoneName(zone.name);
      if (zone.posix !== "") checkPosixTimeZone(zone.posix);
      const names = [...new Set(request.containerNames)];
      const outcomes = await Promise.allSettled(names.map((name) => setIn(name, zone, signal)));
      const failures = outcomes.filter((outcome) => outcome.status === "rejected");
      const failureReasons = failures.map(({ reason }) => errorMessage(reason));
      for (const reason of failureReasons) tools.log.warn(reason);
      return { successes: outcomes.length - failures.length, failureReasons };
    },
    (reason) => ({ successes: 0, failureReasons: [reason] }),
  );
}

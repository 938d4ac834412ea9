import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Logger } from "../base/logger.ts";
import { type ErrorCode, TremplinError } from "../base/tremplin-error.ts";

/**
 * UNAVAILABLE and DEADLINE_EXCEEDED are left to the transport: clients take them for a server that does not answer, and
 * an engine that does not run is no such thing.
 */
const codes: Readonly<Record<ErrorCode, Code>> = {
  invalid: Code.InvalidArgument,
  "not-found": Code.NotFound,
  exists: Code.AlreadyExists,
  busy: Code.Aborted,
  conflict: Code.Aborted,
  cancelled: Code.Canceled,
  unavailable: Code.FailedPrecondition,
  "timed-out": Code.Internal,
  failed: Code.Internal,
};

/**
 * Converts what the handlers of all services throw, once for all of them: a TremplinError becomes its code and
 * sentence, anything else is a fault of this program, of which the caller gets one sentence. Logs both with the name of
 * the rpc. A ConnectError was made for the caller, and passes.
 */
export function convertErrors(log: Logger): Interceptor {
  return (next) => async (request) => {
    const convert = (error: unknown): unknown => {
      if (error instanceof ConnectError || request.signal.aborted) return error;
      return toConnectError(error, request.method.name, log);
    };
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: converted(response.message, convert) } : response;
    } catch (error) {
      throw convert(error);
    }
  };
}

function toConnectError(thrown: unknown, rpc: string, log: Logger): ConnectError {
  const error = TremplinError.from(thrown);
  if (thrown instanceof TremplinError) log.warn({ error, rpc }, "the request failed");
  else log.error({ error: thrown, rpc }, "a call failed unexpectedly");
  return new ConnectError(error.message, codes[error.code], undefined, undefined, thrown);
}

async function* converted<T>(
  messages: AsyncIterable<T>,
  convert: (error: unknown) => unknown,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw convert(error);
  }
}

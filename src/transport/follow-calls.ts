import type { Interceptor, StreamResponse, UnaryRequest, UnaryResponse } from "@connectrpc/connect";
import { follow, observed, type RpcWork } from "../base/observed.ts";
import { operationIdIn } from "./operation-id.ts";

type Response = UnaryResponse | StreamResponse;

/** Lets metrics and traces follow the calls of a client or a server. A call lasts until its last message. */
export function followCalls(side: RpcWork["side"]): Interceptor {
  return (next) => async (request) => {
    if (!observed.rpc.hasSubscribers) return await next(request);
    const { service, method, header } = request as Pick<UnaryRequest, "service" | "method" | "header">;
    const about: RpcWork = {
      ...{ side, header, streams: request.stream },
      ...{ service: service.typeName, method: method.name },
    };
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const whole = follow(observed.rpc, about, async () => {
      const response = await next(request);
      about.operation = operationIdIn(response.header);
      if (!response.stream) return resolve(response);
      const ended = Promise.withResolvers<void>();
      resolve({ ...response, message: untilEnd(response.message, ended) });
      await ended.promise;
    });
    whole.catch(reject);
    return await promise;
  };
}

async function* untilEnd<T>(
  messages: AsyncIterable<T>,
  ended: PromiseWithResolvers<void>,
): AsyncGenerator<T, void, void> {
  try {
    yield* messages;
  } catch (error) {
    ended.reject(error);
    throw error;
  } finally {
    ended.resolve();
  }
}

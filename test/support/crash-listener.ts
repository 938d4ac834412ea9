import { CrashListener } from "../../src/contract/crash_listener_pb.js";
import { serve } from "../../src/transport/server.ts";

/** The host's crash listener on a socket: which programs it was told of. */
export async function crashListener(path: string) {
  const failed: string[] = [];
  const server = await serve({
    addresses: [{ kind: "unix", path }],
    routes: (router) =>
      void router.service(CrashListener, {
        sendFailureReport({ failedProcess }) {
          failed.push(failedProcess);
          return {};
        },
      }),
  });
  return { failed, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

import { Code, ConnectError } from "@connectrpc/connect";
import { errorMessage } from "../../base/tremplin-error.ts";
import type { HostOptions } from "../options.ts";
import { type RunningConsole, type ServeConsoleOptions, serveConsole } from "./serve-console.ts";

/** The console of a host, or one that only says why there is none. */
export async function openConsole(
  options: HostOptions,
  parts: Omit<ServeConsoleOptions, "address" | "files" | "state">,
): Promise<RunningConsole> {
  const { console: wanted, state } = options;
  if (!wanted)
    return noConsole("this host was started without a console; start it with --console 127.0.0.1:7780");
  try {
    return await serveConsole({ ...wanted, ...parts, state });
  } catch (error) {
    if (!wanted.isOptional) throw error;
    const reason = `the host serves no console: ${errorMessage(error)}`;
    parts.log.warn({ reason }, "the console is not served");
    return noConsole(`${reason}; start the host with --console 127.0.0.1:PORT to choose another address`);
  }
}

/** For the pages: a browser that is signed in cannot sign in others, which would outlast it. */
export const onlyOutside = noConsole(
  "the console itself signs nobody in: run tremplin console on the machine of the host",
);

/** `reason`: a sentence for whoever wants to sign in. */
function noConsole(reason: string): RunningConsole {
  return {
    url: undefined,
    createSignIn() {
      throw new ConnectError(reason, Code.FailedPrecondition);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

import { Code, ConnectError } from "@connectrpc/connect";
import type { RunningConsole } from "./serve-console.ts";

/** The console of a host that has none. `reason`: a sentence for whoever wants to sign in. */
export function noConsole(reason: string): RunningConsole {
  return {
    url: undefined,
    createSignIn() {
      throw new ConnectError(reason, Code.FailedPrecondition);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

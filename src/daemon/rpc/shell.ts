import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { sentenceOf, TremplinError } from "../../base/tremplin-error.ts";
import type { ShellInput, ShellInput_Start, ShellOutputSchema } from "../../contract/tremplin/v1/guest_pb.js";
import type { ExecSession } from "../../engine/exec-session.ts";
import { checkContainerName } from "./container-name.ts";
import type { RpcTools } from "./rpc.ts";

type Output = MessageInitShape<typeof ShellOutputSchema>;

/** A program in a container with a terminal of its own; the container's root unless the command says otherwise. */
export function shell(tools: RpcTools) {
  return async function* (
    inputs: AsyncIterable<ShellInput>,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<Output> {
    const source = inputs[Symbol.asyncIterator]();
    try {
      const first = (await source.next()).value as ShellInput | undefined;
      if (first?.input.case !== "start")
        throw new TremplinError("invalid", "the first input of a shell must be start");
      const start = first.input.value;
      checkContainerName(start.containerName);
      const resize = Promise.withResolvers<ExecSession>();
      await using session = await tools.engine().exec(start.containerName, {
        command: start.command.length > 0 ? start.command : ["/bin/sh", "-c", LOGIN_SHELL],
        environment: { TERM: start.term || "xterm", HOME: "/root", USER: "root", LANG: "C.UTF-8" },
        cwd: "/",
        terminal: sizeOf(start),
        stdin: typed(source, resize.promise),
        signal,
      });
      resize.resolve(session);
      for await (const chunk of session.stdout)
        yield { output: { case: "data", value: chunk as Uint8Array<ArrayBuffer> } };
      yield { output: { case: "exitCode", value: await session.exitCode } };
    } catch (error) {
      throw new ConnectError(sentenceOf(error), Code.Internal, undefined, undefined, error);
    }
  };
}

/** A login shell of the person (uid 1000) where there is one, else of root. A constant: nothing of a request is in it. */
const LOGIN_SHELL =
  'user=$(getent passwd 1000 | cut -d: -f1); if [ -n "$user" ] && command -v su >/dev/null; then exec su -l "$user"; fi; ' +
  "command -v bash >/dev/null && exec bash -l; exec sh -l";

function sizeOf({ size }: ShellInput_Start) {
  return { width: size?.columns || 80, height: size?.rows || 24 };
}

/** What is typed, until the caller ends; changes of the terminal's size are done on the way. */
async function* typed(
  source: AsyncIterator<ShellInput>,
  session: Promise<ExecSession>,
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { done, value } = await source.next();
    if (done) return;
    const { input } = value;
    if (input.case === "data") yield input.value;
    if (input.case === "size")
      (await session).resize({ width: input.value.columns, height: input.value.rows });
  }
}

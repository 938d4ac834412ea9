import { once } from "node:events";
import { PassThrough, type Readable } from "node:stream";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { ShellInput, ShellInput_Start, ShellOutputSchema } from "../../contract/tremplin/v1/guest_pb.js";
import type { ExecSession } from "../../engine/exec/exec-session.ts";
import { checkContainerName } from "./container-name.ts";
import type { RpcDeps } from "./rpc.ts";

type Output = MessageInitShape<typeof ShellOutputSchema>;

/** The login shell of the person (uid 1000) where there is one, else root's. A constant: nothing of a request is in it. */
const LOGIN_SHELL = [
  "/bin/sh",
  "-c",
  'user=$(getent passwd 1000 | cut -d: -f1); if [ -n "$user" ]; then exec su -l "$user"; fi; ' +
    "if command -v bash >/dev/null; then exec bash -l; fi; exec sh -l",
];

/** A program in a container; with a terminal unless it is asked for without. */
export function shell(tools: RpcDeps) {
  return async function* (
    inputs: AsyncIterable<ShellInput>,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<Output> {
    const source = inputs[Symbol.asyncIterator]();
    try {
      const first: ShellInput | undefined = (await source.next()).value;
      if (first?.input.case !== "start") {
        throw new TremplinError("invalid", "the first input of a shell must be start");
      }
      const start = first.input.value;
      checkContainerName(start.containerName);
      const begun = Promise.withResolvers<ExecSession>();
      await using session = await tools.engine().exec(start.containerName, {
        command: start.command.length > 0 ? start.command : LOGIN_SHELL,
        environment: { TERM: start.term || "xterm", HOME: "/root", USER: "root", LANG: "C.UTF-8" },
        cwd: "/",
        stdin: typed(source, begun.promise),
        signal,
        ...(!start.plain && { terminal: sizeOf(start) }),
      });
      begun.resolve(session);
      yield* outputs(session);
      yield { output: { case: "exitCode", value: await session.exitCode } };
    } catch (error) {
      throw new ConnectError(errorMessage(error), Code.Internal, undefined, undefined, error);
    }
  };
}

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
    if (input.case === "size") {
      (await session).resize({ width: input.value.columns, height: input.value.rows });
    }
  }
}

/** Output and errors in the order of their coming; the program waits while nobody takes them. */
function outputs({ stdout, stderr }: ExecSession): AsyncIterable<Output> {
  const merged = new PassThrough({ objectMode: true });
  const feed = async (stream: Readable, kind: "data" | "errors"): Promise<void> => {
    for await (const value of stream) {
      if (!merged.write({ output: { case: kind, value } })) await once(merged, "drain");
    }
  };
  Promise.all([feed(stdout, "data"), feed(stderr, "errors")]).then(
    () => merged.end(),
    (error) => merged.destroy(error),
  );
  return merged;
}

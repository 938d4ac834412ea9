import type { MessageInitShape } from "@bufbuild/protobuf";
import { checkContainerName } from "../../base/container-name.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type {
  ShellInput,
  ShellInput_Size,
  ShellInput_Start,
  ShellOutputSchema,
} from "../../contract/tremplin/v1/guest_pb.js";
import type { ExecSession } from "../../engine/exec/exec-session.ts";
import { getContainer } from "../containers/find-container.ts";
import { mergedOutput, startShell } from "../guest/shell-program.ts";
import { checkAction } from "./check-action.ts";
import type { RpcDeps } from "./rpc.ts";

/** A program in a container, with a terminal unless the request says `plain`. */
export function shell(deps: Pick<RpcDeps, "engine" | "runner">) {
  return async function* (
    inputs: AsyncIterable<ShellInput>,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<MessageInitShape<typeof ShellOutputSchema>> {
    const source = inputs[Symbol.asyncIterator]();
    const first: ShellInput | undefined = (await source.next()).value;
    if (first?.input.case !== "start") {
      throw new TremplinError("invalid", "the first input of a shell must be start");
    }
    const { containerName, command, term, size, plain } = first.input.value;
    checkContainerName(containerName);
    const account = accountOf(first.input.value);
    const engine = deps.engine.running();
    checkAction(deps, "shell", await getContainer(engine, containerName, signal));
    const started = Promise.withResolvers<ExecSession>();
    const stdin = inputOf(source, started.promise);
    const terminal = plain ? undefined : sizeOf(size);
    const options = { command, account, term, terminal, stdin, signal };
    await using session = await startShell(engine, containerName, options);
    started.resolve(session);
    for await (const { stream, bytes } of mergedOutput(session)) {
      yield { output: { case: stream === "stdout" ? "data" : "errors", value: bytes } };
    }
    yield { output: { case: "exitCode", value: await session.exitCode } };
  };
}

/** Throws `invalid` for what no account is called. */
function accountOf({ user, asPrimaryUser }: ShellInput_Start): string | undefined {
  if (user === "") return asPrimaryUser ? "" : undefined;
  if (!asPrimaryUser && /^[^\p{Cc}:/\s-][^\p{Cc}:/\s]{0,254}$/u.test(user)) return user;
  throw new TremplinError("invalid", `${JSON.stringify(user)} is not the name of an account`);
}

function sizeOf(size: ShellInput_Size | undefined) {
  return { width: size?.columns || 80, height: size?.rows || 24 };
}

/** The bytes for standard input, until the caller ends its stream. Resizes the terminal on the way. */
async function* inputOf(
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

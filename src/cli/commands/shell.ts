import { once } from "node:events";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Command } from "commander";
import { systemErrorText } from "../../base/system-error.ts";
import { plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest, type ShellInputSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

type Input = MessageInitShape<typeof ShellInputSchema>;

export function shellCommand(io: Io): Command {
  const command = new Command("shell")
    .argument("<name>", "the container", containerName)
    .argument(
      "[command...]",
      "a program with its arguments; what follows it belongs to it (default: a login shell)",
    )
    .option("--user <user>", "whose account to use (default: the primary user, or root where there is none)")
    .passThroughOptions();
  return withHostFlags(command, "none").action((name: string, args: string[], flags: Flags) =>
    shell(name, args, flags, io),
  );
}

interface Flags extends HostFlags {
  readonly user?: string;
  /** No terminal, also where there is one. */
  readonly plain?: true;
}

/** Runs a program, or a login shell, and ends with its exit code. */
export async function shell(containerName: string, args: string[], flags: Flags, io: Io): Promise<void> {
  const command = args[0] === "--" ? args.slice(1) : args;
  using api = HostApi.open(flags);
  const { stdin, stdout, stderr } = process;
  const plain = flags.plain || !stdin.isTTY || !stdout.isTTY;
  const account = flags.user === undefined ? { asPrimaryUser: true } : { user: flags.user };
  const terminal = { term: process.env.TERM ?? "", plain, size: sizeOf(stdout) };
  const start = { containerName, command, ...account, ...terminal };
  if (flags.user === "") throw new TremplinError("invalid", "--user needs the name of an account");
  let isSilent = true;
  if (!plain) stdin.setRawMode(true);
  try {
    for await (const { output } of api.bidiStream(Guest.method.shell, inputs(start, plain))) {
      if (output.case === "exitCode") {
        process.exitCode = output.value;
        if (output.value === 127 && isSilent) io.err(`tremplin: ${silentText(containerName, command)}\n`);
      } else if (output.case) {
        isSilent = false;
        const target = output.case === "data" ? stdout : stderr;
        if (!target.write(output.value)) await once(target, "drain");
      }
    }
  } finally {
    if (!plain) stdin.setRawMode(false);
    stdin.destroy();
  }
}

/** A shell names a program that is missing; without one the engine ends with 127 alone. */
function silentText(container: string, [program = "a shell"]: readonly string[]): string {
  return `it ended with 127 and no word: ${container} probably has no /bin/sh, or no ${plainText(program)}`;
}

/** The program to start, then the typed input and the changes of the terminal's size in order. */
async function* inputs(start: object, plain: boolean): AsyncGenerator<Input, void, void> {
  yield { input: { case: "start", value: start } };
  const { stdin, stdout } = process;
  if (plain) {
    for await (const value of readInput(stdin)) yield { input: { case: "data", value } };
    return;
  }
  const pending: Input[] = [];
  let more = Promise.withResolvers<void>();
  const push = (input: Input): void => {
    pending.push(input);
    more.resolve();
  };
  stdin.on("data", (value: Buffer<ArrayBuffer>) => push({ input: { case: "data", value } }));
  stdout.on("resize", () => push({ input: { case: "size", value: sizeOf(stdout) } }));
  for (;;) {
    await more.promise;
    more = Promise.withResolvers();
    yield* pending.splice(0);
  }
}

async function* readInput(stdin: NodeJS.ReadStream): AsyncGenerator<Buffer<ArrayBuffer>, void, void> {
  try {
    yield* stdin as AsyncIterable<Buffer<ArrayBuffer>>;
  } catch (error) {
    throw new TremplinError("failed", `the standard input cannot be read: ${systemErrorText(error)}`, error);
  }
}

function sizeOf({ columns = 80, rows = 24 }: Partial<NodeJS.WriteStream>) {
  return { columns, rows };
}

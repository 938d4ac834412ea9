import { once } from "node:events";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Command } from "commander";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest, type ShellInputSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

type Input = MessageInitShape<typeof ShellInputSchema>;

export function shellCommand(_io: Io): Command {
  const command = new Command("shell")
    .argument("<name>", "the container", containerName)
    .argument(
      "[command...]",
      "a program to run as root, with its arguments; options after the name belong to it (default: the primary user's login shell)",
    )
    .passThroughOptions();
  return withHostFlags(command, "none").action(shell);
}

async function shell(containerName: string, args: string[], flags: HostFlags): Promise<void> {
  const command = args[0] === "--" ? args.slice(1) : args;
  using api = HostApi.open(flags);
  const { stdin, stdout, stderr } = process;
  const plain = !stdin.isTTY || !stdout.isTTY;
  const start = { containerName, command, term: process.env.TERM ?? "", plain, size: sizeOf(stdout) };
  if (!plain) stdin.setRawMode(true);
  try {
    for await (const { output } of api.bidiStream(Guest.method.shell, inputs(start, plain))) {
      if (output.case === "exitCode") process.exitCode = output.value;
      else if (output.case) {
        const target = output.case === "data" ? stdout : stderr;
        if (!target.write(output.value)) await once(target, "drain");
      }
    }
  } finally {
    if (!plain) stdin.setRawMode(false);
    stdin.destroy();
  }
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

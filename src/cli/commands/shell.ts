import { once } from "node:events";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Command } from "commander";
import { Guest, type ShellInputSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

type Input = MessageInitShape<typeof ShellInputSchema>;

/** A shell in a container, or one program; it has a terminal when this command has one. */
export function shellCommand(_io: Io): Command {
  const command = new Command("shell")
    .argument("<name>", "the container")
    .argument(
      "[command...]",
      "a program and its arguments instead of the person's login shell; it runs as root",
    )
    .passThroughOptions();
  return withHostFlags(command).action(shell);
}

async function shell(containerName: string, words: string[], flags: HostFlags): Promise<void> {
  const command = words[0] === "--" ? words.slice(1) : words;
  using api = HostApi.open(flags);
  const { stdin, stdout, stderr } = process;
  const plain = !stdin.isTTY || !stdout.isTTY;
  const start = { containerName, command, term: process.env.TERM ?? "", plain, size: sizeOf(stdout) };
  if (!plain) stdin.setRawMode(true);
  try {
    for await (const { output } of api.converse(Guest.method.shell, inputs(start, plain))) {
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

/** What to start, then what is typed and each change of the terminal's size, in the order of their coming. */
async function* inputs(start: object, plain: boolean): AsyncGenerator<Input, void, void> {
  yield { input: { case: "start", value: start } };
  const { stdin, stdout } = process;
  if (plain) {
    for await (const chunk of stdin) yield { input: { case: "data", value: chunk } };
    return;
  }
  const waiting: Input[] = [];
  let more = Promise.withResolvers<void>();
  const push = (input: Input): void => {
    waiting.push(input);
    more.resolve();
  };
  stdin.on("data", (value: Buffer<ArrayBuffer>) => push({ input: { case: "data", value } }));
  stdout.on("resize", () => push({ input: { case: "size", value: sizeOf(stdout) } }));
  for (;;) {
    await more.promise;
    more = Promise.withResolvers();
    yield* waiting.splice(0);
  }
}

function sizeOf({ columns = 80, rows = 24 }: Partial<NodeJS.WriteStream>) {
  return { columns, rows };
}

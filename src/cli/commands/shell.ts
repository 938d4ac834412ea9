import { once } from "node:events";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Command } from "commander";
import { systemErrorText } from "../../base/system-error.ts";
import { plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest, type ShellInputSchema, type ShellOutput } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

const CTRL_C = 3;

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
  const account = accountOf(flags);
  using api = HostApi.open(flags);
  const { stdin, stdout } = process;
  const plain = flags.plain || !stdin.isTTY || !stdout.isTTY;
  const terminal = { term: process.env.TERM ?? "", plain, size: sizeOf(stdout) };
  const start = { containerName, command, ...account, ...terminal };
  if (!plain) stdin.setRawMode(true);
  try {
    const way = new UnansweredWay();
    const outputs = api.bidiStream(Guest.method.shell, inputs(start, plain, way), { signal: way.signal });
    const { exitCode, isSilent } = await passOn(outputs, way);
    process.exitCode = exitCode;
    if (exitCode === 127 && isSilent) io.err(`tremplin: ${silentText(containerName, command)}\n`);
  } finally {
    if (!plain) stdin.setRawMode(false);
    stdin.destroy();
  }
}

function accountOf({ user }: Flags) {
  if (user === "") throw new TremplinError("invalid", "--user needs the name of an account");
  return user === undefined ? { asPrimaryUser: true } : { user };
}

/** Writes what a program writes, until it ends. */
async function passOn(outputs: AsyncIterable<ShellOutput>, way: UnansweredWay) {
  const { stdout, stderr } = process;
  let isSilent = true;
  let exitCode: number | undefined;
  for await (const { output } of outputs) {
    way.answered();
    if (output.case === "exitCode") exitCode = output.value;
    else if (output.case) {
      isSilent = false;
      const target = output.case === "data" ? stdout : stderr;
      if (!target.write(output.value)) await once(target, "drain");
    }
  }
  return { exitCode, isSilent };
}

/** A shell names a program that is missing; without one the engine ends with 127 alone. */
function silentText(container: string, [program = "a shell"]: readonly string[]): string {
  return `it ended with 127 and no word: ${container} probably has no /bin/sh, or no ${plainText(program)}`;
}

/** The program to start, then the typed input and the changes of the terminal's size in order. */
async function* inputs(start: object, plain: boolean, way: UnansweredWay): AsyncGenerator<Input, void, void> {
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
  stdin.on("data", (value: Buffer<ArrayBuffer>) => {
    way.typed(value);
    push({ input: { case: "data", value } });
  });
  stdout.on("resize", () => push({ input: { case: "size", value: sizeOf(stdout) } }));
  for (;;) {
    await more.promise;
    more = Promise.withResolvers();
    yield* pending.splice(0);
  }
}

/** While nothing came back yet, a second Ctrl-C is for this command: what is typed may reach nobody. */
class UnansweredWay {
  readonly #controller = new AbortController();
  #isAnswered = false;
  #interrupts = 0;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  answered(): void {
    this.#isAnswered = true;
  }

  typed(keys: Uint8Array): void {
    this.#interrupts += keys.filter((key) => key === CTRL_C).length;
    if (this.#isAnswered || this.#interrupts < 2) return;
    this.#controller.abort(new TremplinError("cancelled", "interrupted before anything came back"));
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

import { once } from "node:events";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type {
  ShellInput,
  ShellInput_Size,
  ShellInput_Start,
  ShellOutputSchema,
} from "../../src/contract/tremplin/v1/guest_pb.js";
import type { MemoryGuest } from "./memory-guest.ts";

type Output = MessageInitShape<typeof ShellOutputSchema>;

/**
 * A program in a container of a guest in memory. A login shell with a terminal has a few commands: `exit CODE`, `size`,
 * `flood` (for ever), `deaf` (reads nothing any more), and those of `guest.programs`, which print a text. Anything else
 * gets what is typed, and then the exit code 7.
 */
export async function* memoryShell(
  guest: MemoryGuest,
  inputs: AsyncIterable<ShellInput>,
  signal: AbortSignal,
): AsyncGenerator<Output> {
  const source = inputs[Symbol.asyncIterator]();
  const first: ShellInput | undefined = (await source.next()).value;
  if (first?.input.case !== "start") throw new ConnectError("no start", Code.InvalidArgument);
  const start = first.input.value;
  if (!guest.containers.has(start.containerName)) throw new ConnectError("no such container", Code.NotFound);
  if (guest.containers.get(start.containerName) === "stopped")
    throw new ConnectError(`${start.containerName} is not running; start it first`, Code.FailedPrecondition);
  guest.shells.push(start);
  try {
    if (start.plain || start.command.length > 0 || start.term === "") yield* echo(source);
    else yield* loginShell(guest, source, start, signal);
  } finally {
    guest.shells.splice(guest.shells.indexOf(start), 1);
  }
}

async function* echo(source: AsyncIterator<ShellInput>): AsyncGenerator<Output> {
  for (let next = await source.next(); !next.done; next = await source.next()) {
    const { input } = next.value as ShellInput;
    if (input.case === "data") yield { output: { case: "data", value: input.value } };
  }
  yield { output: { case: "exitCode", value: 7 } };
}

async function* loginShell(
  guest: MemoryGuest,
  source: AsyncIterator<ShellInput>,
  { size }: ShellInput_Start,
  signal: AbortSignal,
): AsyncGenerator<Output> {
  let shown: ShellInput_Size | undefined = size;
  let line = "";
  yield say("$ ");
  for (let next = await source.next(); !next.done; next = await source.next()) {
    const { input } = next.value as ShellInput;
    if (input.case === "size") shown = input.value;
    if (input.case !== "data") continue;
    const typed = Buffer.from(input.value).toString();
    guest.typed += typed;
    yield say(typed.replaceAll("\r", "\r\n"));
    // Ctrl+C forgets what stands in the line.
    line = (line + typed).split("\u0003").at(-1) ?? "";
    if (!line.endsWith("\r")) continue;
    const [command = "", argument] = line.trim().split(" ");
    line = "";
    if (command === "exit") return yield { output: { case: "exitCode", value: Number(argument) } };
    if (command === "size") yield say(`${shown?.columns}x${shown?.rows}\r\n`);
    if (command === "deaf") await once(signal, "abort");
    if (command === "flood") yield* flood(guest);
    yield say(`${guest.programs.get(command) ?? ""}$ `);
  }
}

async function* flood(guest: MemoryGuest): AsyncGenerator<Output> {
  const lines = "y\r\n".repeat(5_000);
  for (;;) {
    guest.flooded += lines.length;
    yield say(lines);
    await new Promise(setImmediate);
  }
}

function say(text: string): Output {
  return { output: { case: "data", value: Buffer.from(text) } };
}

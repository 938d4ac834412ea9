import { toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { RawData, WebSocket } from "ws";
import type { Clock } from "../../../base/async/clock.ts";
import {
  type Failure,
  type HostSays,
  type PageSays,
  SendWindow,
  SIGN_OF_LIFE_MS,
} from "../../../base/terminal-link.ts";
import { type ShellOutput, ShellOutputSchema } from "../../../contract/tremplin/v1/guest_pb.js";
import type { ShellInputs } from "./open-shell.ts";
import { TypedInputs } from "./typed-inputs.ts";

/** The code of a WebSocket for a peer that does not keep to what was agreed. */
const POLICY_VIOLATION = 1008;

export interface RelayOptions {
  readonly open: (inputs: ShellInputs, signal: AbortSignal) => AsyncIterable<ShellOutput>;
  /** Whether the browser is still signed in. */
  readonly isSignedIn: () => boolean;
  readonly clock: Clock;
}

/** Connects the terminal of a page with a program, until one of them has ended. */
export async function relayShell(
  socket: WebSocket,
  { open, isSignedIn, clock }: RelayOptions,
): Promise<void> {
  const gone = new AbortController();
  const sent = new SendWindow();
  const inputs = new TypedInputs((taken) => say(socket, { taken }));
  socket.on("error", () => socket.terminate());
  socket.once("close", () => gone.abort());
  socket.on("message", (data: RawData, isBinary) => {
    const bytes = data as Buffer;
    if (isBinary ? inputs.add(bytes) : sent.taken(takenIn(bytes))) return;
    socket.close(POLICY_VIOLATION);
    gone.abort();
  });
  void keepAlive(socket, isSignedIn, clock, gone.signal);
  try {
    const failure = await passOn(() => open(inputs, gone.signal), socket, sent, gone.signal);
    if (failure) say(socket, failure);
  } finally {
    inputs.end();
    socket.close();
  }
}

/** Sends what the program writes, as the page takes it. Undefined: the exit code was the last of it. */
async function passOn(
  open: () => AsyncIterable<ShellOutput>,
  socket: WebSocket,
  sent: SendWindow,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const left = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  try {
    for await (const output of open()) {
      await Promise.race([sent.room(), left]);
      if (signal.aborted) return undefined;
      const message = toBinary(ShellOutputSchema, output);
      sent.sent(message.length);
      await new Promise<void>((resolve) => socket.send(message, () => resolve()));
      if (output.output.case === "exitCode") return undefined;
    }
    return { failure: "the guest ended the shell and did not say why", isAway: true };
  } catch (error) {
    const { rawMessage, code } = ConnectError.from(error);
    return { failure: rawMessage, isAway: code === Code.Unavailable || code === Code.DeadlineExceeded };
  }
}

/** Ends a connection whose browser has gone without a word, or is signed in no more. */
async function keepAlive(
  socket: WebSocket,
  isSignedIn: () => boolean,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let hasAnswered = true;
  socket.on("pong", () => {
    hasAnswered = true;
  });
  while (!signal.aborted) {
    await clock.sleep(SIGN_OF_LIFE_MS, signal).catch(() => undefined);
    if (!hasAnswered || !isSignedIn()) return socket.terminate();
    hasAnswered = false;
    socket.ping();
    say(socket, { taken: 0 });
  }
}

function say(socket: WebSocket, message: HostSays): void {
  socket.send(JSON.stringify(message), () => undefined);
}

/** NaN for anything that no page says. */
function takenIn(message: Buffer): number {
  try {
    const { taken } = JSON.parse(message.toString()) as Partial<PageSays>;
    return Number.isSafeInteger(taken) ? (taken as number) : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

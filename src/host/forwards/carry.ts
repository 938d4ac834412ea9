import type { Socket } from "node:net";
import { finished } from "node:stream/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { drained } from "../../base/async/drained.ts";
import type { HandOverPlace } from "../../base/native/hand-over.ts";
import { resetSocket } from "../../base/native/reset-socket.ts";
import type { RelayedPair } from "../../base/native/socket-relay.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { PortInputSchema, PortOutput } from "../../contract/tremplin/v1/guest_pb.js";
import type { TunnelPool } from "./tunnel-pool.ts";

/** A message of a call that has no more than 32 KiB takes no more room at a daemon than an empty one (call-budget.ts). */
const MAX_DATA_BYTES = 24 * 1024;

type Input = MessageInitShape<typeof PortInputSchema>;

/** A way for the daemon to hand the connected socket to this program, where both are on one machine. */
export interface HandOver extends Disposable {
  readonly place: HandOverPlace;
  /** Passes on what the client and the socket that has arrived send. Undefined: none has arrived. */
  join(client: Socket): RelayedPair | undefined;
}

interface Carried {
  readonly client: Socket;
  readonly container: string;
  readonly port: number;
  readonly prefersIpv6: boolean;
  readonly handOver: HandOver | undefined;
}

/**
 * Connects a client of this machine with a port of a container, until both directions have ended. What resets one side
 * resets the other one, and so does the signal. Throws when the container could not be reached: the client was reset.
 */
export async function carry(tunnels: TunnelPool, carried: Carried, signal: AbortSignal): Promise<void> {
  const { client } = carried;
  signal.throwIfAborted();
  const call = new AbortController();
  const abort = (): void => call.abort();
  using line = tunnels.take(`${carried.container}:${carried.port}`, abort);
  signal.addEventListener("abort", abort);
  client.once("error", abort);
  const connected = Promise.withResolvers<"tunnel" | "handed over">();
  connected.promise.catch(() => undefined);
  try {
    const outputs = line.client.connectPort(inputs(carried, connected.promise), { signal: call.signal });
    const rest = outputs[Symbol.asyncIterator]();
    if (await wasHandedOver(rest)) {
      connected.resolve("handed over");
      await rest.next();
      line[Symbol.dispose]();
      await relayed(carried, signal);
    } else {
      connected.resolve("tunnel");
      await receive(rest, client);
    }
  } catch (error) {
    connected.reject(error);
    resetSocket(client);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    call.abort();
  }
}

/** What the daemon gets: where to connect, then the bytes of the client. */
async function* inputs(
  { client, container, port, prefersIpv6, handOver }: Carried,
  connected: Promise<"tunnel" | "handed over">,
): AsyncGenerator<Input, void, void> {
  const start = { containerName: container, port, preferIpv6: prefersIpv6 };
  yield { input: { case: "start", value: { ...start, ...(handOver && { handOver: handOver.place }) } } };
  if ((await connected) === "handed over") return;
  for await (const data of client.iterator({ destroyOnReturn: false })) {
    for (let at = 0; at < data.length; at += MAX_DATA_BYTES) {
      yield { input: { case: "data", value: data.subarray(at, at + MAX_DATA_BYTES) } };
    }
  }
  yield { input: { case: "end", value: {} } };
}

async function wasHandedOver(outputs: AsyncIterator<PortOutput>): Promise<boolean> {
  const first: PortOutput | undefined = (await outputs.next()).value;
  if (first?.output.case === "connected") return first.output.value.handedOver;
  throw new TremplinError("failed", "the guest answered with something else than a connection");
}

async function relayed({ client, handOver }: Carried, signal: AbortSignal): Promise<void> {
  const pair = handOver?.join(client);
  if (!pair) throw new TremplinError("failed", "the socket that the guest handed over has not arrived");
  const reset = (): void => pair.reset();
  signal.addEventListener("abort", reset);
  if (signal.aborted) reset();
  await pair.ended;
  signal.removeEventListener("abort", reset);
}

async function receive(outputs: AsyncIterator<PortOutput>, client: Socket): Promise<void> {
  for (;;) {
    const { done, value } = await outputs.next();
    if (done) break;
    const { output } = value as PortOutput;
    if (output.case === "end") client.end();
    if (output.case === "data" && !client.write(output.value)) await drained(client);
  }
  // A call that ended without saying so would otherwise leave the client waiting.
  if (!client.writableEnded) throw new TremplinError("failed", "the guest ended the connection early");
  await finished(client, { readable: false });
  client.destroy();
}

import type { Socket } from "node:net";
import { finished } from "node:stream/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { drained } from "../../base/async/drained.ts";
import { checkContainerName } from "../../base/container-name.ts";
import { isForwardable } from "../../base/forwardable-port.ts";
import { loadNative } from "../../base/native/load-native.ts";
import { resetSocket } from "../../base/native/reset-socket.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { PortInput, PortInput_HandOver, PortOutputSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { connectInside } from "../connections/connect-inside.ts";
import type { RpcDeps } from "./rpc.ts";

type Output = MessageInitShape<typeof PortOutputSchema>;

/** How a container is reached, and whether a caller on this machine got the socket. */
interface Means {
  readonly connect: typeof connectInside;
  readonly wasTaken: typeof wasTaken;
}

const KIB = 1024;
/** While an answer is on its way, so much is read for the next one: a few large ones cost less than many small ones. */
const READ_AHEAD_BYTES = { ofFew: 512 * KIB, ofMany: 64 * KIB } as const;
/** So many connections may keep more in memory. */
const FEW = 32;

/** A connection to a port that a container listens on (docs/ports.md). */
export function connectPort(
  { ports }: Pick<RpcDeps, "ports">,
  means: Means = { connect: connectInside, wasTaken },
) {
  let open = 0;
  return async function* (
    inputs: AsyncIterable<PortInput>,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<Output, void, void> {
    const source = inputs[Symbol.asyncIterator]();
    const first: PortInput | undefined = (await source.next()).value;
    if (first?.input.case !== "start") {
      throw new TremplinError("invalid", "the first input of a connection must be start");
    }
    const { containerName: container, port, preferIpv6: prefersIpv6, handOver } = first.input.value;
    checkContainerName(container);
    checkPort(port);
    const network = ports.find(container, port);
    if (!network) throw refused(`${container} does not listen on port ${port}`);
    const readAheadBytes = READ_AHEAD_BYTES[open < FEW ? "ofFew" : "ofMany"];
    const target = { network, container, port, prefersIpv6, readAheadBytes };
    // From now on, since any number may wait for their connection at the same time.
    open++;
    try {
      const socket = await means.connect(target, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw refused(errorMessage(error), error);
      });
      if (handOver && (await means.wasTaken(socket, handOver))) {
        // The other process has it now: this closes only the copy here.
        socket.destroy();
        yield { output: { case: "connected", value: { handedOver: true } } };
        return;
      }
      yield* relay(socket, source, signal);
    } finally {
      open--;
    }
  };
}

/** Not logged: anybody can cause it again and again. */
function refused(sentence: string, cause?: unknown): ConnectError {
  return new ConnectError(sentence, Code.FailedPrecondition, undefined, undefined, cause);
}

function checkPort(port: number): void {
  if (isForwardable(port)) return;
  throw new TremplinError(
    "invalid",
    `cannot connect to port ${port}: it must be 1024 to 65535, and neither 2222 nor 5355`,
  );
}

/** False where the caller is on another machine. */
export async function wasTaken(socket: Socket, place: PortInput_HandOver): Promise<boolean> {
  const { handOver } = await loadNative(() => import("../../base/native/hand-over.ts"));
  const { _handle: handle } = socket as unknown as { _handle: { readonly fd: number } | null };
  return handle !== null && handOver(handle.fd, place);
}

/** Passes on both directions until both have ended. A call that ends earlier resets the connection. */
async function* relay(
  socket: Socket,
  source: AsyncIterator<PortInput>,
  signal: AbortSignal,
): AsyncGenerator<Output, void, void> {
  const reset = (): void => void resetSocket(socket);
  signal.addEventListener("abort", reset);
  socket.on("error", () => undefined);
  try {
    yield { output: { case: "connected", value: {} } };
    // Inputs that break off are no end of the data.
    const sent = sendInputs(source, socket).catch(reset);
    for await (const data of socket.iterator({ destroyOnReturn: false })) {
      yield { output: { case: "data", value: data } };
    }
    yield { output: { case: "end", value: {} } };
    await sent;
    await finished(socket, { readable: false });
    socket.destroy();
  } catch (error) {
    signal.throwIfAborted();
    throw new ConnectError(
      "the container has reset the connection",
      Code.Aborted,
      undefined,
      undefined,
      error,
    );
  } finally {
    signal.removeEventListener("abort", reset);
    if (!socket.destroyed) reset();
  }
}

/** Rejects for inputs that stop before they have ended. */
async function sendInputs(source: AsyncIterator<PortInput>, socket: Socket): Promise<void> {
  for (;;) {
    const { done, value } = await source.next();
    if (socket.destroyed) return;
    if (done) throw new TremplinError("failed", "the caller has gone");
    const { input } = value as PortInput;
    if (input.case === "end") return void socket.end();
    if (input.case === "data" && !socket.write(input.value)) await drained(socket);
  }
}

import { once } from "node:events";
import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { loadNative } from "../../base/native/load-native.ts";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { ContainerNetwork } from "./current-ports.ts";

/** A program that does not accept connections has a full queue: the kernel would wait for minutes. */
const CONNECT_TIMEOUT_MS = 10_000;

const AF_INET = 2;
const AF_INET6 = 10;

interface Loopback {
  readonly family: number;
  readonly host: string;
}
const loopback4: Loopback = { family: AF_INET, host: "127.0.0.1" };
const loopback6: Loopback = { family: AF_INET6, host: "::1" };

interface Target {
  readonly network: ContainerNetwork;
  /** For messages. */
  readonly container: string;
  readonly port: number;
  /** Try ::1 before 127.0.0.1. */
  readonly prefersIpv6: boolean;
  /** What is read of the socket while nobody takes it, and then at once. */
  readonly readAheadBytes: number;
}

/**
 * Connects to a port on the loopback of a container. Each direction of the socket ends separately. Throws `unavailable`
 * where nothing listens, or the container has ended.
 */
export async function connectInside(target: Target, signal: AbortSignal): Promise<Socket> {
  const { container, port, prefersIpv6 } = target;
  const order = prefersIpv6 ? [loopback6, loopback4] : [loopback4, loopback6];
  let reason: unknown;
  for (const loopback of order) {
    try {
      return await connectTo(await socketIn(target, loopback.family), { ...target, ...loopback }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof TremplinError) throw error;
      reason ??= error;
    }
  }
  const why = reason instanceof Error ? systemErrorText(reason) : String(reason);
  throw new TremplinError("unavailable", `cannot connect to port ${port} in ${container}: ${why}`, reason);
}

/** A socket in the network namespace of the container, as a descriptor. Nothing of the container is run or read. */
async function socketIn({ network, container }: Target, family: number): Promise<number> {
  const { inNetworkNamespace } = await loadNative(() => import("../../base/native/network-namespace.ts"));
  const { rawSocket, lastError } = await import("../../base/native/raw-socket.ts");
  const SOCK_STREAM = 1;
  const namespace = open(network, container);
  try {
    const fd = inNetworkNamespace(namespace, () => rawSocket(family, SOCK_STREAM));
    if (fd < 0) throw new Error(`the kernel made no socket: error ${lastError()}`);
    return fd;
  } finally {
    closeSync(namespace);
  }
}

function open(network: ContainerNetwork, container: string): number {
  let namespace: number | undefined;
  try {
    namespace = network.openNetwork();
  } catch (cause) {
    throw new TremplinError("unavailable", `${container} has stopped`, cause);
  }
  if (namespace !== undefined) return namespace;
  throw new TremplinError("failed", `${container} has no network of its own, so its ports are the guest's`);
}

async function connectTo(
  fd: number,
  { host, port, readAheadBytes }: Target & Loopback,
  signal: AbortSignal,
): Promise<Socket> {
  // Node would read at once from a socket that it is given, before it is connected.
  const options = { fd, allowHalfOpen: true, manualStart: true, readableHighWaterMark: readAheadBytes };
  const socket = new Socket(options);
  try {
    socket.connect({ host, port });
    await once(socket, "connect", {
      signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]),
    });
    socket.setNoDelay(true);
    return socket;
  } catch (error) {
    socket.on("error", () => undefined).destroy();
    throw error;
  }
}

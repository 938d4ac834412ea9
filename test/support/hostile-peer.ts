import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectSocket, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type ConnectRouter, createClient } from "@connectrpc/connect";
import fc from "fast-check";
import { Tremplin } from "../../src/contract/tremplin_pb.js";
import type { Address } from "../../src/transport/address.ts";
import { dial } from "../../src/transport/client.ts";
import { health } from "../../src/transport/health.ts";
import { reflection } from "../../src/transport/reflection.ts";
import type { Tls } from "../../src/transport/tls.ts";
import { requestBytes } from "./hostile-bytes.ts";

type SocketAddress = Exclude<Address, { kind: "vsock" }>;

/** As many rounds as a second has time for. fast-check tells the seed of one that fails. */
export const fuzzing = { numRuns: 1_000_000, interruptAfterTimeLimit: 1_000, markInterruptAsFailure: false };

/** How a hostile peer says its bytes and goes: each number counts turns of the event loop, or bytes. */
export const manners = fc.record({
  /** Where its bytes are cut in two; after the last there is no cut. */
  cut: fc.nat(100),
  turnsBeforeLeaving: fc.nat(12),
  turnsHalfOpen: fc.nat(4),
  /** Which tcp alone can, without TLS. */
  resets: fc.boolean(),
});
export type Manners = typeof manners extends fc.Arbitrary<infer T> ? T : never;

/** Says the bytes on a connected socket and goes. Resolves when the socket is closed. */
export async function throwBytes(socket: Socket, bytes: Buffer, how: Manners): Promise<void> {
  socket.on("error", () => undefined).resume();
  const closed = once(socket, "close").catch(() => undefined);
  socket.write(bytes.subarray(0, how.cut));
  if (how.cut < bytes.length) {
    await setImmediate();
    socket.write(bytes.subarray(how.cut));
  }
  await turns(how.turnsBeforeLeaving);
  if (how.resets && socket.remoteAddress && !("encrypted" in socket)) socket.resetAndDestroy();
  else socket.end();
  await turns(how.turnsHalfOpen);
  socket.destroy();
  await closed;
}

/** Waits for turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await setImmediate();
}

/** Collects what would have ended the process, while it lives. */
export function whatEscapes(): Disposable & { readonly seen: readonly unknown[] } {
  const seen: unknown[] = [];
  const note = (error: unknown): void => void seen.push(error);
  process.on("uncaughtException", note).on("unhandledRejection", note);
  return {
    seen,
    [Symbol.dispose]: () => void process.off("uncaughtException", note).off("unhandledRejection", note),
  };
}

/** Rpcs of each kind, one of them with a bug. */
export function hostileRoutes(router: ConnectRouter): void {
  router.service(Tremplin, {
    getDebugInfo: () => ({ debugInformation: "hello" }),
    createContainer: () => {
      throw new TypeError("a bug");
    },
  });
  health(router, [Tremplin.typeName]);
  reflection(router, [Tremplin]);
}

export interface Provoked {
  /** Makes a connection; without TLS by default. */
  readonly open?: () => Promise<Socket>;
  /** For the good call at the end. */
  readonly tls?: Tls;
  readonly token?: string;
}

/** Throws bytes at a listener of `hostileRoutes` for a while. It still answers then, and nothing has escaped. */
export async function provoke(
  address: SocketAddress,
  { open = () => connected(address), tls, token }: Provoked = {},
): Promise<void> {
  using escaped = whatEscapes();
  const property = fc.asyncProperty(requestBytes, manners, async (bytes, how) => {
    await throwBytes(await open(), bytes, how);
    // The server notices by then.
    await turns(3);
    assert.deepEqual(escaped.seen, []);
  });
  await fc.assert(property, fuzzing);
  using connection = dial(address, { tls, token });
  const answer = await createClient(Tremplin, connection.transport).getDebugInfo({});
  assert.equal(answer.debugInformation, "hello");
  assert.deepEqual(escaped.seen, []);
}

async function connected(address: SocketAddress): Promise<Socket> {
  const socket = connectSocket(address);
  await once(socket, "connect");
  return socket;
}

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "transport-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { systemClock } from "../../src/base/async/clock.ts";
import { type Logger, silentLogger } from "../../src/base/logger.ts";
import { type Event, Host } from "../../src/contract/tremplin/v1/host_pb.js";
import { TremplinListener } from "../../src/contract/tremplin_pb.js";
import { serveHost } from "../../src/host/serve-host.ts";
import type { Address } from "../../src/transport/address.ts";
import { dial } from "../../src/transport/client.ts";
import { MemoryGuest } from "./memory-guest.ts";

/** A folder with sockets for a host and its guests, and a client of the host. */
export interface HostFixture {
  readonly folder: string;
  readonly hostAddress: Address;
  readonly api: <S extends Parameters<typeof createClient>[0]>(
    service: S,
  ) => ReturnType<typeof createClient<S>>;
  /** The same at the address where a guest sends its notices. */
  readonly listener: (guest: string) => ReturnType<typeof createClient<typeof TremplinListener>>;
  guest(name: string, unchanged?: boolean): Promise<MemoryGuest>;
  /** Serves a host with guests of these names, each with a listener of its own. `guest` opens each of them. */
  host(...guests: string[]): Promise<AsyncDisposable>;
  /** The ports of each guest that hosts open from now on. */
  maxForwards: number | undefined;
}

export async function hostFixture(t: TestContext, log: Logger = silentLogger): Promise<HostFixture> {
  const stack = new AsyncDisposableStack();
  t.after(() => stack.disposeAsync());
  const folder = await mkdtemp(join(tmpdir(), "host-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const socket = (name: string): Address => ({ kind: "unix", path: join(folder, `${name}.sock`) });
  const hostAddress = socket("host");
  const connection = stack.use(dial(hostAddress));
  const listenerOf = (guest: string): Address => socket(`listener-${guest}`);
  const fixture: HostFixture = {
    folder,
    maxForwards: undefined,
    hostAddress,
    api: (service) => createClient(service, connection.transport),
    listener: (guest) => createClient(TremplinListener, stack.use(dial(listenerOf(guest))).transport),
    guest: async (name, unchanged = false) =>
      stack.use(await MemoryGuest.open({ address: socket(name), host: listenerOf(name), unchanged })),
    host: async (...names) => {
      const guests = names.map((name) => ({ name, address: socket(name) }));
      const listeners = names.map((guest) => ({ guest, address: listenerOf(guest) }));
      const options = {
        listen: [hostAddress],
        listeners,
        guests,
        state: join(folder, "state"),
        logLevel: "silent",
        maxForwards: fixture.maxForwards,
      };
      return stack.use(await serveHost(options, systemClock, log));
    },
  };
  return fixture;
}

/** An event in one line: guest, kind, container, status. */
export function eventText({ guest, notice }: Event): string {
  const { containerName = "", status = "" } = (notice.value ?? {}) as {
    containerName?: string;
    status?: number;
  };
  return [guest, notice.case, containerName, status].filter((part) => part !== "").join(" ");
}

/** The events that the host has recorded. */
export async function recordedEvents({ api }: HostFixture): Promise<string[]> {
  const events = [];
  for await (const event of api(Host).watch({ after: 0n, onlyLog: true })) events.push(eventText(event));
  return events.slice(1);
}

/** For assert.rejects: an error of the transport with this code and a message like this. */
export function hasCode(expected: Code, message: RegExp) {
  return (error: unknown) => {
    const { code, rawMessage } = ConnectError.from(error);
    assert.equal(Code[code], Code[expected]);
    assert.match(rawMessage, message);
    return true;
  };
}

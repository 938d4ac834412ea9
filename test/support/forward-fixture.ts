import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { type Forward, Host, Forward_State as State } from "../../src/contract/tremplin/v1/host_pb.js";
import { type HostFixture, hostFixture } from "./host-fixture.ts";
import type { MemoryGuest } from "./memory-guest.ts";

/** A host with one guest, and what it forwards. */
export interface ForwardFixture extends HostFixture {
  readonly vm: MemoryGuest;
  readonly running: AsyncDisposable;
  /** Waits until the list of forwards, one line each, is this one. */
  shows(...lines: string[]): Promise<void>;
  /** Waits for the first list that passes. */
  until(passes: (forwards: readonly Forward[]) => boolean, what: string): Promise<readonly Forward[]>;
}

export async function forwardFixture(t: TestContext): Promise<ForwardFixture> {
  const at = await hostFixture(t);
  const running = await at.host("vm");
  return { ...at, running, vm: await at.guest("vm"), ...watching(at) };
}

export function watching(at: HostFixture): Pick<ForwardFixture, "shows" | "until"> {
  const until: ForwardFixture["until"] = async (passes, what) => {
    let last: readonly string[] = [];
    const signal = AbortSignal.timeout(10_000);
    try {
      for await (const { forwards } of at.api(Host).watchForwards({}, { signal })) {
        last = forwards.map(forwardText);
        if (passes(forwards)) return forwards;
      }
    } catch (cause) {
      throw new Error(`waited for ${what}, and the forwards were\n${last.join("\n")}`, { cause });
    }
    throw new Error("the host is gone");
  };
  return {
    until,
    async shows(...lines) {
      await until((forwards) => forwards.map(forwardText).join("\n") === lines.join("\n"), lines.join("\n"));
    },
  };
}

/** "vm one:8080 OPEN 8081: reason". */
export function forwardText({ guest, containerName, port, state, hostPort, reason }: Forward): string {
  const place = hostPort ? ` ${hostPort}` : "";
  return `${guest} ${containerName}:${port} ${State[state]}${place}${reason ? `: ${reason}` : ""}`;
}

/** Ports of this machine that nothing uses, each followed by another one. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const [one, next] = [createServer(), createServer()];
    one.listen(0, "127.0.0.1");
    await once(one, "listening");
    const { port } = one.address() as AddressInfo;
    const isFree = await new Promise<boolean>((resolve) => {
      next.once("error", () => resolve(false)).once("listening", () => resolve(true));
      next.listen(port + 1, "127.0.0.1");
    });
    const isApart = found.every((other) => Math.abs(other - port) > 1);
    if (isFree && isApart && port > 1024) found.push(port);
    one.close();
    next.close();
  }
  return found;
}

/** Connects to a port of this machine. */
export async function open(port: number, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** Everything until the end. */
export async function textOf(socket: Socket): Promise<string> {
  const pieces = socket.setEncoding("utf8").iterator({ destroyOnReturn: false });
  return (await Array.fromAsync(pieces)).join("");
}

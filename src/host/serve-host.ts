import { Code, type ConnectRouter } from "@connectrpc/connect";
import type { Clock } from "../base/async/clock.ts";
import { LogLimit } from "../base/log-limit.ts";
import type { Logger } from "../base/logger.ts";
import { findGroup } from "../base/processes/find-group.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { Guest } from "../contract/tremplin/v1/guest_pb.js";
import { Host } from "../contract/tremplin/v1/host_pb.js";
import { Tremplin, TremplinListener } from "../contract/tremplin_pb.js";
import { formatAddress } from "../transport/address.ts";
import { admitRole } from "../transport/admission.ts";
import type { OnFailure } from "../transport/answer-calls.ts";
import { callerText } from "../transport/caller.ts";
import { health } from "../transport/health.ts";
import { reflection } from "../transport/reflection.ts";
import { type RpcServer, serve } from "../transport/server.ts";
import { vsockGuard } from "../transport/vsock/vsock-guard.ts";
import { onlyOutside, openConsole } from "./console/open-console.ts";
import type { ConsoleSignIn } from "./console/serve-console.ts";
import { forwardService } from "./forward-service.ts";
import { Forwards } from "./forwards/forwards.ts";
import { Guests } from "./guests.ts";
import { hostService } from "./host-service.ts";
import { listener, misdirectedNotices, rpcPath } from "./listener.ts";
import { NoticeLimits } from "./notice-limits.ts";
import type { HostOptions, ListenerAddress } from "./options.ts";
import { proxyService } from "./proxy.ts";
import { senderOf } from "./sender.ts";
import { EventStore } from "./store/event-store.ts";

/** A running host. */
export interface RunningHost extends AsyncDisposable {
  /** Where people and programs connect. */
  readonly addresses: RpcServer["addresses"];
  /** Where guests send their notices, in the order of the options. */
  readonly listeners: RpcServer["addresses"];
  /** Undefined without a console. */
  readonly consoleUrl: string | undefined;
}

/** The default; ports beyond are listed, but not open. */
const MAX_FORWARDS = 256;

interface Parts {
  readonly options: HostOptions;
  readonly guests: Guests;
  readonly events: EventStore;
  readonly forwards: Forwards;
  readonly limits: NoticeLimits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inherited: ReadonlyMap<string, number>;
}

/** Serves the host until it is disposed of. `inherited`: sockets for clients that listen already (takeInheritedSockets). */
export async function serveHost(
  options: HostOptions,
  clock: Clock,
  log: Logger,
  inherited: ReadonlyMap<string, number> = new Map(),
): Promise<RunningHost> {
  checkListeners(options);
  checkInherited(options, inherited);
  await using servers = new AsyncDisposableStack();
  const events = servers.use(
    await EventStore.open({ folder: options.state, clock, log, ...options.retention }),
  );
  const guests = servers.use(new Guests(options.guests, options.tls));
  const limits = new NoticeLimits(clock);
  const { state: folder, maxForwards: most = MAX_FORWARDS } = options;
  const forwards = servers.use(await Forwards.open({ folder, most, clock, log }));
  forwards.setGuests(guests.all);
  const parts = { options, guests, events, forwards, limits, clock, log, inherited };
  const console = servers.use(
    await openConsole(options, (router) => clientRoutes(router, parts, onlyOutside), clock, log),
  );
  const { addresses } = servers.use(await serveClients(parts, console));
  const listeners: RunningHost["listeners"][number][] = [];
  for (const each of options.listeners) {
    listeners.push(...servers.use(await serveGuests(each, parts)).addresses);
  }
  const running = servers.move();
  return {
    addresses,
    listeners,
    consoleUrl: console.url,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** For people and programs. */
async function serveClients(parts: Parts, console: ConsoleSignIn): Promise<RpcServer> {
  const { options, clock, log, inherited } = parts;
  const { listen, tls, token, socketGroup } = options;
  return await serve({
    addresses: listen,
    inherited,
    socketGroup: socketGroup === undefined ? undefined : await idOfGroup(socketGroup),
    // The certificate of --tls-peer is that of a guest.
    tls: tls && { ...tls, peer: undefined },
    tokens: token === undefined ? [] : [{ token }],
    admits: admitRole("client"),
    log,
    routes(router) {
      clientRoutes(router, parts, console);
      misdirectedNotices(router, logNotices(new LogLimit(clock), log));
      const services = [Host, Tremplin, Guest];
      health(
        router,
        services.map((service) => service.typeName),
      );
      reflection(router, services);
    },
  });
}

/** The rpcs of people and programs. */
function clientRoutes(router: ConnectRouter, parts: Parts, console: ConsoleSignIn): void {
  const { guests, events, forwards, clock } = parts;
  hostService(router, guests, events, clock, console);
  forwardService(router, forwards, guests);
  proxyService(router, Tremplin, guests);
  proxyService(router, Guest, guests);
}

/** For guests. `guest`: the only one that sends to this address. */
function serveGuests({ address, guest }: ListenerAddress, parts: Parts): Promise<RpcServer> {
  const { options, guests, limits, clock, log } = parts;
  const cids = guests.all.flatMap(({ cid }) => (cid === undefined ? [] : [cid]));
  const withTokens = options.guests.filter(({ token }) => token !== undefined);
  return serve({
    addresses: [address],
    tls: options.tls,
    tokens: withTokens.map(({ name, token }) => ({ token: token as string, guest: name })),
    unknownCaller: Code.FailedPrecondition,
    // The code after which every daemon sends a notice again.
    noRoom: Code.Unavailable,
    acceptsVsock: vsockGuard(cids, log),
    admits(caller) {
      const sender = senderOf(caller, guest, guests);
      return "refusal" in sender ? sender.refusal : undefined;
    },
    onFailure: logNotices(new LogLimit(clock), log),
    log,
    routes(router: ConnectRouter) {
      listener(router, guests, recorder(parts), limits, guest);
      health(router, [TremplinListener.typeName]);
    },
  });
}

/** Records notices, and asks a guest that is ready for its ports at once. */
function recorder({ events, forwards }: Parts): Pick<EventStore, "append"> {
  return {
    async append(guest, notice, ...rest) {
      await events.append(guest, notice, ...rest);
      if (notice.case === "ready") forwards.wake(guest);
    },
  };
}

/** Logs each notice that was not acknowledged, and each other call. */
function logNotices(limit: LogLimit, log: Logger): OnFailure {
  return (path, caller, reason) => {
    const sender = callerText(caller);
    const notice = TremplinListener.methods.find((method) => path === rpcPath(method))?.name;
    const call = path.slice(0, 200);
    const admitted = limit.admit(`${sender} ${call} ${reason}`);
    if (!admitted) return;
    if (notice) log.warn({ notice, sender, reason, ...admitted }, "a notice was not acknowledged");
    else log.warn({ call, sender, reason, ...admitted }, "a call was refused");
  };
}

async function idOfGroup(name: string): Promise<number> {
  const group = await findGroup(name);
  if (group) return group.id;
  throw new TremplinError(
    "invalid",
    `--socket-group ${name}: this machine has no such group; create it with groupadd --system ${name}`,
  );
}

/** Throws `invalid` for a socket that nothing would be served on: its callers would wait for ever. */
function checkInherited({ listen }: HostOptions, inherited: ReadonlyMap<string, number>): void {
  for (const path of inherited.keys()) {
    if (listen.some((address) => address.kind === "unix" && address.path === path)) continue;
    throw new TremplinError(
      "invalid",
      `systemd listens on ${path}, which no --listen names: give --listen unix:${path}, or change ListenStream= in the socket unit`,
    );
  }
}

/** Throws `invalid` where nothing could show which guest sends a notice. */
function checkListeners({ listeners, guests }: HostOptions): void {
  const names = guests.map(({ name }) => name);
  for (const { guest, address } of listeners) {
    const place = formatAddress(address);
    if (guest !== undefined && !names.includes(guest)) {
      throw new TremplinError("invalid", `--listener ${guest}=${place} is for a guest that no --guest has`);
    }
    if (address.kind === "unix" && guest === undefined && names.length > 1) {
      throw new TremplinError(
        "invalid",
        `the guests ${names.join(", ")} cannot share ${place}, because nothing would show which one sends: give each one an address of its own, --listener NAME=ADDR`,
      );
    }
    const isCid = (cid: number | string): boolean => typeof cid === "number";
    if (
      address.kind === "vsock" &&
      !guests.some((each) => each.address.kind === "vsock" && isCid(each.address.cid))
    ) {
      throw new TremplinError(
        "invalid",
        `no guest could send to ${place}, because none has a context id: use --guest NAME=vsock:CID:PORT`,
      );
    }
  }
}

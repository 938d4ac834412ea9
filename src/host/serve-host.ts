import { Code, type ConnectRouter } from "@connectrpc/connect";
import type { Clock } from "../base/async/clock.ts";
import { LogLimit } from "../base/log-limit.ts";
import type { Logger } from "../base/logger.ts";
import { findGroup } from "../base/processes/find-group.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { Guest } from "../contract/tremplin/v1/guest_pb.js";
import { Forward_State, Host } from "../contract/tremplin/v1/host_pb.js";
import { Tremplin, TremplinListener } from "../contract/tremplin_pb.js";
import type { HostReadings } from "../telemetry/metrics/host-metrics.ts";
import { formatAddress } from "../transport/address.ts";
import { admitRole } from "../transport/admission.ts";
import type { OnFailure } from "../transport/answer-calls.ts";
import { callerText } from "../transport/caller.ts";
import { health } from "../transport/health.ts";
import { reflection } from "../transport/reflection.ts";
import { type RpcServer, serve } from "../transport/server.ts";
import { AcceptedTokens } from "../transport/token.ts";
import { vsockGuard } from "../transport/vsock/vsock-guard.ts";
import { AddedGuests } from "./added-guests.ts";
import { parseConsoleAddress } from "./console/console-address.ts";
import { onlyOutside, openConsole } from "./console/open-console.ts";
import type { ConsoleSignIn } from "./console/serve-console.ts";
import { shellsOf } from "./console/terminal/open-shell.ts";
import { BackupTransfers, backupService } from "./console/transfers/backup-transfers.ts";
import { ContainerReadings } from "./container-readings.ts";
import { forwardService } from "./forward-service.ts";
import { ForwardRenames } from "./forwards/forward-renames.ts";
import { Forwards } from "./forwards/forwards.ts";
import type { Guest as GuestConnection } from "./guest.ts";
import { Guests } from "./guests.ts";
import { type HostServiceDeps, hostService } from "./host-service.ts";
import { listener, misdirectedNotices, rpcPath } from "./listener.ts";
import { sendersWithoutProof } from "./new-guest.ts";
import { NoticeLimits } from "./notice-limits.ts";
import { type HostOptions, hostDefaults, type ListenerAddress } from "./options.ts";
import { proxyService } from "./proxy.ts";
import { renameService } from "./rename-service.ts";
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
  /** How it is now, for metrics. */
  readonly readings: HostReadings;
}

/** The default; ports beyond are listed, but not open. */
const MAX_FORWARDS = 256;

/** How long a notice waits until its guest has said which containers it has. */
const NAMES_TIMEOUT_MS = 5_000;

interface Parts extends HostServiceDeps {
  readonly options: HostOptions;
  readonly forwards: Forwards;
  readonly renames: ForwardRenames;
  readonly limits: NoticeLimits;
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
  const readings = servers.use(new ContainerReadings({ events, clock, log }));
  const { state: folder, maxForwards: most = MAX_FORWARDS } = options;
  const reserved = consolePorts(options);
  const forwards = servers.use(await Forwards.open({ folder, most, reserved, clock, log }));
  const namesOf = async (guest: string): Promise<ReadonlySet<string>> => {
    const containers = await guests.get(guest).listContainers(AbortSignal.timeout(NAMES_TIMEOUT_MS));
    return new Set(containers.map(({ name }) => name));
  };
  const renames = new ForwardRenames(forwards, log, namesOf);
  const limits = new NoticeLimits(clock);
  const base = { options, guests, events, readings, forwards, renames, limits, clock, log, inherited };
  const added = servers.use(
    await AddedGuests.open({
      ...{ guests, log, folder, listeners: options.listeners },
      hasTls: options.tls !== undefined,
      openListener: (listener, token) => serveGuests(listener, base, ownTokens(listener, token)),
    }),
  );
  guests.onChange = () => forwards.setGuests(guests.all);
  const all = { ...base, added };
  const transfers = servers.use(new BackupTransfers({ guests, events, clock, log }));
  const routes = (router: ConnectRouter): void => clientRoutes(router, all, onlyOutside, transfers);
  const { exchanges } = transfers;
  const openShell = shellsOf((name) => guests.get(name));
  const console = servers.use(await openConsole(options, { routes, exchanges, openShell, clock, log }));
  const { addresses } = servers.use(await serveClients(all, console));
  const listeners: RunningHost["listeners"][number][] = [];
  for (const each of options.listeners) {
    listeners.push(...servers.use(await serveGuests(each, base, guests.tokens)).addresses);
  }
  readings.refreshAll(guests.all);
  // Only now, so that no forward takes a port of the host's own.
  forwards.setGuests(guests.all);
  const running = servers.move();
  return {
    addresses,
    listeners,
    consoleUrl: console.url,
    readings: readingsOf(guests, forwards),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function readingsOf(guests: Guests, forwards: Forwards): HostReadings {
  const ask = async (guest: GuestConnection) => {
    return { name: guest.name, answers: (await guest.presence()).reachable };
  };
  return {
    guests: () => Promise.all(guests.all.map(ask)),
    forwards: () =>
      forwards.list().map(({ state, connections }) => {
        return { state: Forward_State[state].toLowerCase(), connections };
      }),
  };
}

/** Its usual one too: browsers keep secrets for it, also while there is no console. */
function consolePorts({ console: wanted }: HostOptions): ReadonlySet<number> {
  const usual = parseConsoleAddress(hostDefaults.console);
  return new Set([usual, wanted?.address].flatMap((address) => address?.port ?? []));
}

function ownTokens({ guest }: ListenerAddress, token: string | undefined): AcceptedTokens {
  return new AcceptedTokens(token === undefined ? [] : [{ token, guest }]);
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
function clientRoutes(
  router: ConnectRouter,
  parts: Parts,
  console: ConsoleSignIn,
  transfers?: BackupTransfers,
): void {
  const { guests, forwards, renames } = parts;
  hostService(router, parts, console);
  backupService(router, transfers);
  forwardService(router, forwards, guests);
  proxyService(router, Tremplin, guests);
  proxyService(router, Guest, guests);
  renameService(router, guests, renames);
}

/** For guests, or for one guest alone. `tokens`: those that are accepted there on tcp without TLS. */
function serveGuests(
  listenerAddress: ListenerAddress,
  parts: Omit<Parts, "added">,
  tokens: AcceptedTokens,
): Promise<RpcServer> {
  const { options, guests, clock, log } = parts;
  const expected = expectedSender(listenerAddress, parts);
  /** Asks it at once for what may be other than before. */
  const isReady = (guest: GuestConnection, what: "daemon" | "engine"): void => {
    parts.readings.refresh(guest);
    if (what === "daemon") parts.forwards.wake(guest.name);
  };
  const isPeer = (cid: number): boolean => guests.all.some((guest) => guest.cid === cid);
  return serve({
    addresses: [listenerAddress.address],
    tls: options.tls,
    tokens,
    unknownCaller: Code.FailedPrecondition,
    // The code after which every daemon sends a notice again.
    noRoom: Code.Unavailable,
    acceptsVsock: vsockGuard({ includes: isPeer }, log),
    admits(caller) {
      const sender = senderOf(caller, expected(), guests);
      return "refusal" in sender ? sender.refusal : undefined;
    },
    onFailure: logNotices(new LogLimit(clock), log),
    log,
    routes(router: ConnectRouter) {
      listener(router, { ...parts, isReady }, expected);
      health(router, [TremplinListener.typeName]);
    },
  });
}

/** The guest that sends to an address: the one that it is for, or at a socket file the only one without another proof. */
function expectedSender(
  { guest, address }: ListenerAddress,
  { guests, options: { listeners, tls } }: Pick<Parts, "guests" | "options">,
): () => string | undefined {
  if (guest !== undefined || address.kind !== "unix") return () => guest;
  let known: { all: typeof guests.all; expected: string | undefined } | undefined;
  return () => {
    if (known?.all !== guests.all) {
      const senders = sendersWithoutProof({ guests: guests.all, listeners, hasTls: tls !== undefined });
      known = { all: guests.all, expected: senders.length === 1 ? senders[0]?.name : undefined };
    }
    return known.expected;
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
function checkListeners({ listeners, guests, tls }: HostOptions): void {
  const unproven = sendersWithoutProof({ guests, listeners, hasTls: tls !== undefined });
  for (const { guest, address } of listeners) {
    const place = formatAddress(address);
    if (guest !== undefined && !guests.some(({ name }) => name === guest)) {
      throw new TremplinError("invalid", `--listener ${guest}=${place} is for a guest that no --guest has`);
    }
    if (address.kind === "unix" && guest === undefined && unproven.length > 1) {
      throw new TremplinError(
        "invalid",
        `the guests ${unproven.map(({ name }) => name).join(", ")} cannot share ${place}, because nothing would show which one sends: give each one an address of its own, --listener NAME=ADDR`,
      );
    }
    const isCid = (cid: number | string): boolean => typeof cid === "number";
    const isWithoutCid = !guests.some((each) => each.address.kind === "vsock" && isCid(each.address.cid));
    // Without any guest yet, those that are added may have one.
    if (address.kind === "vsock" && guests.length > 0 && isWithoutCid) {
      throw new TremplinError(
        "invalid",
        `no guest could send to ${place}, because none has a context id: use --guest NAME=vsock:CID:PORT`,
      );
    }
  }
}
